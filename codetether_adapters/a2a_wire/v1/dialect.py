"""JSON of release 1.0 to values and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import cattrs

from codetether_adapters.a2a_wire.base64 import read_bytes, write_bytes
from codetether_adapters.a2a_wire.dialect import Dialect, Happening, members, speaking
from codetether_adapters.a2a_wire.v1.words import read_integer, read_role, read_state, write_role, write_state
from codetether_adapters.a2a_wire.values import (
    ArtifactUpdate,
    Configuration,
    Content,
    Data,
    Message,
    Part,
    PushConfig,
    Raw,
    Role,
    StatusUpdate,
    Task,
    TaskState,
    Text,
    Update,
    Url,
)

__all__ = ["V1"]

_NAMES: Final[Mapping[tuple[type, str], str]] = {(Configuration, "push_config"): "taskPushNotificationConfig"}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("must be an object whose text, or url, is a string")
    return value


_CONTENTS: Final[Mapping[str, Callable[[Any], Content]]] = {
    "text": lambda value: Text(_text(value)),
    "raw": lambda value: Raw(read_bytes(value)),
    "url": lambda value: Url(_text(value)),
    "data": Data,
}


def _read_part(value: Any, _: Any) -> Part:
    told = members(value)
    if "data" in value:
        told["data"] = value["data"]  # null is a value there
    found = [name for name in _CONTENTS if name in told]
    if len(found) != 1:
        raise TypeError("must be an object with exactly one of text, raw, url and data")
    content = _CONTENTS[found[0]](told[found[0]])
    return Part(
        content=content,
        media_type=_word(told, "mediaType"),
        filename=_word(told, "filename"),
        metadata=_object(told, "metadata"),
    )


def _word(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    if not isinstance(value, str | None):
        raise TypeError("must be an object whose mediaType and filename are strings")
    return value or None


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    value = told.get(name)
    if not isinstance(value, Mapping | None):
        raise TypeError("must be an object whose metadata is an object")
    return value


def _write_part(part: Part) -> dict[str, Any]:
    written = _content(part.content)
    if part.media_type is not None:
        written["mediaType"] = part.media_type
    if part.filename is not None:
        written["filename"] = part.filename
    if part.metadata is not None:
        written["metadata"] = part.metadata
    return written


def _content(content: Content) -> dict[str, Any]:
    match content:
        case Text(text):
            return {"text": text}
        case Raw(raw):
            return {"raw": write_bytes(raw)}
        case Url(url):
            return {"url": url}
        case Data(data):
            return {"data": data}


def _event(happening: Task | Update) -> dict[str, Any]:
    told = _MADE.unstructure(happening)
    match happening:
        case Task():
            return {"task": told}
        case StatusUpdate():
            return {"statusUpdate": told}
        case ArtifactUpdate():
            return {"artifactUpdate": told}


def _sent(answer: Task | Message) -> dict[str, Any]:
    return {"task" if isinstance(answer, Task) else "message": _MADE.unstructure(answer)}


def _configs(configs: Sequence[PushConfig], token: str) -> dict[str, Any]:
    return {"configs": [_MADE.unstructure(config) for config in configs], "nextPageToken": token}


_MEMBERS: Final[Mapping[str, type[Happening]]] = {
    "task": Task,
    "message": Message,
    "statusUpdate": StatusUpdate,
    "artifactUpdate": ArtifactUpdate,
}


def _kind_of(told: Any) -> tuple[type[Happening], Any] | None:
    found = [(kind, value) for name, value in members(told).items() if (kind := _MEMBERS.get(name))]
    return found[0] if len(found) == 1 else None


def _converter() -> cattrs.Converter:
    made = speaking(_NAMES, ignored={(StatusUpdate, "final")})
    made.register_structure_hook(Part, _read_part)
    made.register_unstructure_hook(Part, _write_part)
    made.register_structure_hook(Role, read_role)
    made.register_unstructure_hook(Role, write_role)
    made.register_structure_hook(TaskState, read_state)
    made.register_unstructure_hook(TaskState, write_state)
    made.register_structure_hook(int, read_integer)
    return made


_MADE: Final = _converter()

V1: Final = Dialect("1.0", _MADE, _sent, _event, _configs, {}, _kind_of)
