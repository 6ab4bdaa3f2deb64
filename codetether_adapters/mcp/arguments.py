"""Arguments of tools and prompts: members of attrs classes, described for a model, and read so that it is told what to
do about those that are wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import attrs

from codetether_core import codec
from codetether_core.errors import Invalid

__all__ = ["argument", "read", "require_keepable"]

T = TypeVar("T")


def argument(
    description: str,
    default: Any = attrs.NOTHING,
    *,
    least: int | None = None,
    most: int | None = None,
    shortest: int | None = None,
    longest: int | None = None,
) -> Any:
    """A member of a class of arguments: numbers are between ``least`` and ``most``, texts so many characters long."""
    words = {"minimum": least, "maximum": most, "minLength": shortest, "maxLength": longest}
    schema = {name: value for name, value in words.items() if value is not None}
    return attrs.field(default=default, metadata={"description": description, "schema": schema})


def read(cls: type[T], given: Any) -> T:
    """What was given, as a ``cls``; ``Invalid`` names the argument that is wrong, and says what would be right."""
    if not isinstance(given, Mapping):
        raise Invalid("arguments", "must be an object")
    fields = {each.name: each for each in attrs.fields(cls)}  # type: ignore[arg-type]
    for name in given:
        if name not in fields:
            raise Invalid(_shown(str(name)), "is no argument", hint=f"there are: {', '.join(fields) or 'none'}")
    for name, value in given.items():
        require_keepable(name, value)
    read = codec.parse(cls, {name: value for name, value in given.items() if value is not None})
    for name, field in fields.items():
        _require_within(name, getattr(read, name), field.metadata.get("schema", {}))
    return read


def _require_within(name: str, value: Any, bounds: Mapping[str, int]) -> None:
    size: float
    if isinstance(value, str):
        least, most, size, what = bounds.get("minLength"), bounds.get("maxLength"), len(value), " characters"
    elif isinstance(value, int | float):
        least, most, size, what = bounds.get("minimum"), bounds.get("maximum"), value, ""
    else:
        return
    if least is not None and size < least:
        raise Invalid(name, "must not be empty" if what and least == 1 else f"must be at least {least}{what}")
    if most is not None and size > most:
        raise Invalid(name, f"must be at most {most}{what}")


def require_keepable(name: str, value: Any) -> None:
    """``Invalid`` where there is text that not every store can hold."""
    for text in _texts(value):
        if "\0" in text:
            raise Invalid(name, "must not contain the NUL character")
        if any("\ud800" <= each <= "\udfff" for each in text):
            raise Invalid(name, "must be valid Unicode text")


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case Mapping() as members:
                waiting += [*members.keys(), *members.values()]
            case list() as items:
                waiting += items


def _shown(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()[:60]
