"""JSON of release 0.3 to values and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import cattrs

from codetether_adapters.a2a_wire.dialect import Dialect, Happening, Writing, members, speaking
from codetether_adapters.a2a_wire.v03.parts import read_part, write_part
from codetether_adapters.a2a_wire.v03.requests import shape_requests
from codetether_adapters.a2a_wire.values import (
    ArtifactUpdate,
    GetTask,
    ListPushConfigs,
    Message,
    NamedPushConfig,
    Part,
    PushConfig,
    Role,
    StatusUpdate,
    Task,
    TaskState,
)

__all__ = ["V03"]

_NAMES: Final[Mapping[tuple[type, str], str]] = {
    (NamedPushConfig, "task_id"): "id",
    (NamedPushConfig, "id"): "pushNotificationConfigId",
    (ListPushConfigs, "task_id"): "id",
}
_KINDS: Final[Mapping[type[Happening], str]] = {
    Task: "task",
    Message: "message",
    StatusUpdate: "status-update",
    ArtifactUpdate: "artifact-update",
}
_WORDS: Final[Mapping[TaskState, str]] = {
    state: "unknown" if state is TaskState.UNSPECIFIED else state.replace("_", "-") for state in TaskState
}
_STATES: Final = {word: state for state, word in _WORDS.items()}


def _read_state(value: Any, _: Any) -> TaskState:
    if not isinstance(value, str):
        raise TypeError("must be the name of a state")
    return _STATES.get(value, TaskState.UNSPECIFIED)


def _read_role(value: Any, _: Any) -> Role:
    if value not in ("user", "agent"):
        raise TypeError("must be one of: user, agent")
    return Role(value)


def _converter() -> cattrs.Converter:
    made = speaking(_NAMES, marked=_marked)
    made.register_structure_hook(Part, read_part)
    made.register_unstructure_hook(Part, write_part)
    made.register_structure_hook(Role, _read_role)
    made.register_unstructure_hook(Role, str)
    made.register_structure_hook(TaskState, _read_state)
    made.register_unstructure_hook(TaskState, _WORDS.__getitem__)
    shape_requests(made)
    read_get = made.get_structure_hook(GetTask)
    made.register_structure_hook(GetTask, lambda value, kind: _all_for_none(read_get(value, kind)))
    return made


def _all_for_none(asked: GetTask) -> GetTask:
    """A history of no length is the whole history here."""
    return asked if asked.history_length != 0 else GetTask(id=asked.id)


def _marked(kind: type, write: Writing) -> Writing:
    """Written with its kind; what happens to a task says too whether it is the last of its stream."""
    word = _KINDS.get(kind)
    if word is None:
        return write
    if kind is StatusUpdate:
        return lambda value: {"kind": word, **write(value), "final": value.final}
    return lambda value: {"kind": word, **write(value)}


def _configs(configs: Sequence[PushConfig], token: str) -> list[Any]:
    return [_MADE.unstructure(config) for config in configs]


def _kind_of(told: Any) -> tuple[type[Happening], Any] | None:
    kind = members(told).get("kind")
    found = next((each for each, word in _KINDS.items() if word == kind), None)
    return None if found is None else (found, told)


_MADE: Final = _converter()

V03: Final = Dialect("0.3", _MADE, _MADE.unstructure, _MADE.unstructure, _configs, None, _kind_of)
