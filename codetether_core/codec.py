"""Values to and from plain JSON types, strictly.

Unknown members are ignored, wrong types and missing members refused: ``"5"`` is no integer and ``1`` no boolean.
Moments are UTC text with microseconds and ``Z``, durations integer microseconds. Bytes of JSON are the adapters' affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum, EnumMeta
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_origin

import cattrs
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import BaseValidationError, ClassValidationError, IterableValidationError

from codetether_core.errors import Invalid

__all__ = ["dump", "load", "moment", "parse", "timestamp"]

T = TypeVar("T")

_NAMES: Final[Mapping[Any, str]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "an array",
    Mapping: "an object",
}


def timestamp(moment: datetime) -> str:
    """A moment as text: fixed width, UTC, microseconds, ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment.tzinfo is not UTC else _utc(moment)


def moment(text: str) -> datetime:
    """The moment that an ISO 8601 text names; a naive one is taken as UTC. ``ValueError`` if it is none."""
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def dump(value: object) -> Any:
    """The value as dicts, lists, text, numbers, booleans and ``None``."""
    return _inside().unstructure(value)


def parse(type: type[T], data: Any, *, field: str = "") -> T:
    """``data`` from outside as a ``type``; ``Invalid`` names the first member that is wrong, below ``field``."""
    try:
        return _outside().structure(data, type)
    except (BaseValidationError, KeyError, TypeError, ValueError) as error:
        path, problem = _first_problem(error, field)
        raise Invalid(path, problem) from None


def load(type: type[T], data: Any) -> T:
    """``data`` that ``dump`` once wrote, as a ``type``: the same without the questions, for what our own stores hold."""
    return _inside().structure(data, type)


def _utc(moment: datetime) -> str:
    text = moment.isoformat(timespec="microseconds")
    return f"{text[:26]}Z"


@cache
def _outside() -> cattrs.Converter:
    """Strict, and able to say where something is wrong."""
    made = _with_our_types(cattrs.Converter(detailed_validation=True))
    for primitive in (str, int, float, bool):
        made.register_structure_hook(primitive, _strictly(primitive))
    made.register_structure_hook_factory(_is_array, _array_hook)
    return made


@cache
def _inside() -> cattrs.Converter:
    """Trusting, for our own data."""
    return _with_our_types(cattrs.Converter(detailed_validation=False))


def _with_our_types(made: cattrs.Converter) -> cattrs.Converter:
    made.register_structure_hook(datetime, _moment_hook)
    made.register_unstructure_hook(datetime, timestamp)
    made.register_structure_hook(timedelta, lambda value, _: timedelta(microseconds=_require(int, value)))
    made.register_unstructure_hook(timedelta, lambda value: value // timedelta(microseconds=1))
    made.register_unstructure_hook(frozenset, sorted)
    made.register_structure_hook_func(_is_json_object, lambda value, _: _require(Mapping, value))
    made.register_unstructure_hook_func(_is_json_object, lambda value: value)
    return made


def _is_json_object(type: Any) -> bool:
    return get_origin(type) is Mapping and get_args(type) == (str, Any)


def _is_array(type: Any) -> bool:
    return get_origin(type) is tuple


def _array_hook(type: Any, made: cattrs.Converter) -> Any:
    structure: Any = homogenous_tuple_structure_factory(type, made)
    return lambda value, _: structure(_require(list, value), type)


def _enum_hook(value: Any, type: EnumMeta) -> Enum:
    if not isinstance(value, str) or value not in type._value2member_map_:
        raise TypeError(f"must be one of: {', '.join(str(value) for value in type._value2member_map_)}")
    return type._value2member_map_[value]


def _require(wanted: Any, value: Any) -> Any:
    fits = isinstance(value, wanted) or (wanted is float and isinstance(value, int))
    if not fits or (isinstance(value, bool) and wanted is not bool):
        raise TypeError(f"must be {_NAMES[wanted]}")
    return value


def _strictly(wanted: Any) -> Any:
    """A hook for a primitive and for the enumerations that derive from it."""

    def structure(value: Any, type: Any) -> Any:
        return _enum_hook(value, type) if isinstance(type, EnumMeta) else _require(wanted, value)

    return structure


def _moment_hook(value: Any, _: Any) -> datetime:
    try:
        return moment(_require(str, value))
    except (TypeError, ValueError):
        raise TypeError("must be a date and time in ISO 8601") from None


def _first_problem(error: BaseException, path: str) -> tuple[str, str]:
    """Follow the first branch of cattrs' exception group down to the member that is wrong."""
    if isinstance(error, ClassValidationError | IterableValidationError):
        inner = error.exceptions[0]
        for note in getattr(inner, "__notes__", ()):
            step = getattr(note, "name", getattr(note, "index", None))
            if step is not None:
                path = f"{path}.{step}" if path else str(step)
        return _first_problem(inner, path)
    if isinstance(error, KeyError):
        return path, "is required"
    text = str(error)
    return path, text if text.startswith("must be") else "must be an object"
