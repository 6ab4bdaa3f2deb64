"""The texts in a value of any shape: read, and written anew.

The numbers of plain data are texts too, as JSON writes them: one that is changed is a text from then on. Those that are
attributes of an object are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from operator import is_
from typing import Any, TypeGuard, TypeVar

import attrs

__all__ = ["rewritten", "texts"]

T = TypeVar("T")


def texts(value: Any) -> Iterator[str]:
    """Every text in it: in attrs objects, lists, tuples, sets and mappings, whose keys count too."""
    if isinstance(value, str):
        yield value
    elif _is_number(value):
        yield _written(value)
    elif _is_mapping(value):
        for key, member in value.items():
            yield from texts(key)
            yield from texts(member)
    elif _is_collection(value):
        for member in value:
            yield from texts(member)
    elif attrs.has(_type(value)):
        for attribute in attrs.fields(_type(value)):
            if not _is_number(member := getattr(value, attribute.name)):
                yield from texts(member)


def rewritten(value: T, change: Callable[[str], str]) -> T:
    """The value with each text changed, keys of mappings too; the same object where nothing changed."""
    changed: T = _rewritten(value, change)
    return changed


def _rewritten(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, Enum) or (changed := change(value)) == value else changed
    if _is_number(value):
        return value if (changed := change(written := _written(value))) == written else changed
    if _is_mapping(value):
        pairs = [(_rewritten(key, change), _rewritten(member, change)) for key, member in value.items()]
        same = all(key is old and member is value[old] for (key, member), old in zip(pairs, value, strict=True))
        return value if same else dict(pairs)
    if _is_collection(value):
        members = [_rewritten(member, change) for member in value]
        return value if all(map(is_, members, value)) else type(value)(members)
    return _rewritten_object(value, change) if attrs.has(_type(value)) else value


def _rewritten_object(value: Any, change: Callable[[str], str]) -> Any:
    fields = [each for each in attrs.fields(_type(value)) if each.init]
    old = [getattr(value, each.name) for each in fields]
    new = [member if _is_number(member) else _rewritten(member, change) for member in old]
    changes = {str(each.alias): member for each, member in zip(fields, new, strict=True)}
    return value if all(map(is_, new, old)) else attrs.evolve(value, **changes)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return _type(value) in (int, float)


def _written(number: int | float) -> str:
    """In hexadecimal if it has so many digits that Python does not count them."""
    try:
        return str(number)
    except ValueError:
        return hex(int(number))


def _is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_collection(value: Any) -> TypeGuard[tuple[Any, ...] | list[Any] | frozenset[Any]]:
    return isinstance(value, tuple | list | frozenset)


def _type(value: Any) -> type[Any]:
    return type(value)  # pyright: ignore[reportUnknownVariableType]
