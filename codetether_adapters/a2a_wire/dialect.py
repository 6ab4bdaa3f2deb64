"""A release's words: JSON to values and back.

Members that are not known are ignored, and ``null`` stands for what is missing; what is unset is not written. Names are
camel case; snake case is read as well, as ProtoJSON wants it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeVar

import attrs
import cattrs
from attrs import frozen
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from codetether_adapters.a2a_wire.values import Message, PushConfig, Task, Update
from codetether_core import codec
from codetether_core.errors import Invalid

__all__ = ["Dialect", "Happening", "Writing", "camel", "members", "moment", "speaking"]

T = TypeVar("T")
Happening: TypeAlias = Task | Message | Update
Writing: TypeAlias = Callable[[Any], dict[str, Any]]

_WORD: Final = re.compile(r"_([a-z0-9])")


@frozen(eq=False)
class Dialect:
    """One release. ``sent`` is the result of sending a message, be it a task or another message, ``event`` what a
    stream has of a task or an update, ``configs`` a page of webhooks with the token of the next, ``nothing`` the result
    of what has none. ``kind_of`` tells of such a result, or of what a stream has, what it is, and gives the JSON of it.
    """

    name: str
    converter: cattrs.Converter
    sent: Callable[[Task | Message], Any]
    event: Callable[[Task | Update], Any]
    configs: Callable[[Sequence[PushConfig], str], Any]
    nothing: Any
    kind_of: Callable[[Any], tuple[type[Happening], Any] | None]

    def hear(self, data: Any) -> Happening | None:
        """What a server says of a task, or to it; ``None`` for what this release does not know. ``Invalid``."""
        found = self.kind_of(data)
        return None if found is None else self.parse(found[0], found[1])

    def parse(self, kind: type[T], data: Any, field: str = "") -> T:
        """The JSON as a value; ``Invalid`` names the member that is wrong, below ``field``."""
        try:
            return self.converter.structure(data, kind)
        except (BaseValidationError, KeyError, TypeError, ValueError) as error:
            wrong = codec.refusal(error)
            below = ".".join(step for step in (field, camel(wrong.field)) if step)
            raise Invalid(below, wrong.problem) from None

    def dump(self, value: object) -> Any:
        """The value as JSON."""
        return self.converter.unstructure(value)


def speaking(
    names: Mapping[tuple[type, str], str],
    ignored: Collection[tuple[type, str]] = (),
    marked: Callable[[type, Writing], Writing] = lambda kind, write: write,
) -> cattrs.Converter:
    """A converter with the rules that both releases share; ``names`` has the members whose names do not follow.

    Members that the release does not have are ``ignored``; objects are written as ``marked``.
    """
    made = codec.strict()

    def renamed(kind: Any) -> dict[str, Any]:
        return {
            each.name: override(
                rename=names.get((kind, each.name), camel(each.name)), omit=(kind, each.name) in ignored or None
            )
            for each in attrs.fields(kind)
        }

    def reading(kind: Any, made: cattrs.Converter) -> Callable[[Any, Any], Any]:
        read = make_dict_structure_fn(kind, made, **renamed(kind))
        return lambda value, _: read(members(value), kind)

    def writing(kind: Any, made: cattrs.Converter) -> Callable[[Any], Any]:
        return marked(kind, make_dict_unstructure_fn(kind, made, _cattrs_omit_if_default=True, **renamed(kind)))

    made.register_structure_hook_factory(attrs.has, reading)
    made.register_unstructure_hook_factory(attrs.has, writing)
    made.register_unstructure_hook(datetime, moment)
    made.register_unstructure_hook_func(lambda kind: kind is Any, lambda value: value)
    made.register_unstructure_hook_func(_is_json_object, dict)
    made.register_unstructure_hook_factory(_is_optional_object, lambda kind, made: _or_none)
    return made


def members(value: Any) -> dict[str, Any]:
    """An object's members, by their names in camel case, without those that are ``null``."""
    if not isinstance(value, Mapping):
        raise TypeError("must be an object")
    return {camel(name): member for name, member in value.items() if member is not None}


def camel(name: str) -> str:
    """The name as JSON has it."""
    return _WORD.sub(lambda match: match[1].upper(), name) if "_" in name else name


def moment(at: datetime) -> str:
    """UTC, with milliseconds."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat('T', 'milliseconds')}Z"


def _is_json_object(kind: Any) -> bool:
    return bool(kind == Mapping[str, Any])


def _is_optional_object(kind: Any) -> bool:
    return bool(kind == Mapping[str, Any] | None)


def _or_none(value: Any) -> Any:
    return value
