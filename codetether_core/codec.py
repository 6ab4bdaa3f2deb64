"""Values to and from plain JSON types, strictly.

Unknown members are ignored, wrong types and missing members refused: ``"5"`` is no integer and ``1`` no boolean.
Moments are UTC text with microseconds and ``Z``, durations integer microseconds. JSON's bytes are the adapters' affair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import GenericAlias, NoneType, UnionType
from typing import Any, Final, NewType, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import BaseValidationError, ClassValidationError, IterableValidationError
from cattrs.fns import identity

from codetether_core.errors import Invalid

__all__ = ["dump", "load", "moment", "parse", "refusal", "strict", "timestamp"]

T = TypeVar("T")
_Hook = Callable[[Any, Any], Any]

_MICROSECOND: Final = timedelta(microseconds=1)

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
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    without_zone = datetime.combine(utc, utc.time())  # prints twice as fast: it need not ask for its offset
    return f"{without_zone.isoformat('T', 'microseconds')}Z"


def moment(text: str) -> datetime:
    """The moment that an ISO 8601 text names; a naive one is taken as UTC. ``ValueError`` if it is none."""
    parsed = datetime.fromisoformat(text)
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def dump(value: object) -> Any:
    """The value as dicts, lists, text, numbers, booleans and ``None``."""
    return _inside().unstructure(value)


def parse(type: type[T], data: Any, *, field: str = "") -> T:
    """``data`` from outside as a ``type``; ``Invalid`` names the first member that is wrong, below ``field``."""
    try:
        return _outside().structure(data, type)
    except (BaseValidationError, KeyError, TypeError, ValueError) as error:
        raise refusal(error, field) from None


def refusal(error: Exception, field: str = "") -> Invalid:
    """What a strict converter found wrong first, below ``field``."""
    return Invalid(*_first_problem(error, field))


def load(type: type[T], data: Any) -> T:
    """``data`` that ``dump`` once wrote, as a ``type``: the same without the questions, for our own stores."""
    return _inside().structure(data, type)


@cache
def _outside() -> cattrs.Converter:
    return strict()


def strict() -> cattrs.Converter:
    """A new converter that reads as ``parse`` does and can say what is wrong (``refusal``), to be given more hooks."""
    made = cattrs.Converter(detailed_validation=True)
    made.register_structure_hook_factory(attrs.has, _object_hook)
    made.register_structure_hook_factory(_is_array, _array_hook)
    made.register_structure_hook_factory(_is_optional, _optional_hook)
    made.register_structure_hook_factory(_is_new_type, _new_type_hook)
    made.register_structure_hook_func(_is_json_object, lambda value, _: _require(Mapping, value))
    for primitive in (str, int, float, bool):
        made.register_structure_hook(primitive, _primitive_hook(primitive))
    made.register_structure_hook(StrEnum, _enum_hook)
    made.register_structure_hook(datetime, _moment_hook)
    made.register_structure_hook(timedelta, _duration_hook)
    return made


@cache
def _inside() -> cattrs.Converter:
    """Trusting and fast, for our own data: what JSON holds as it is passes through."""
    made = cattrs.Converter(detailed_validation=False)
    made.register_structure_hook_factory(_is_optional, _optional_hook)
    made.register_structure_hook_factory(_is_new_type, _new_type_hook)
    made.register_structure_hook_func(_is_json_object, _as_it_is)
    for primitive in (str, int, float, bool):
        made.register_structure_hook(primitive, _as_it_is)
    made.register_structure_hook(StrEnum, lambda value, type: type._value2member_map_[value])
    made.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    made.register_structure_hook(timedelta, lambda value, _: value * _MICROSECOND)
    made.register_unstructure_hook_factory(_is_optional, _optional_dump_hook)
    made.register_unstructure_hook_func(_is_json_object, identity)
    made.register_unstructure_hook_func(lambda type: type is Any, identity)
    made.register_unstructure_hook(StrEnum, str)
    made.register_unstructure_hook(datetime, timestamp)
    made.register_unstructure_hook(timedelta, lambda value: value // _MICROSECOND)
    made.register_unstructure_hook_func(_is_set, sorted)
    return made


def _is_json_object(type: Any) -> bool:
    return get_origin(type) is Mapping and get_args(type) == (str, Any)


def _is_array(type: Any) -> bool:
    return get_origin(type) in (tuple, frozenset)


def _is_set(type: Any) -> bool:
    return frozenset in (type, get_origin(type))


def _is_optional(type: Any) -> bool:
    return get_origin(type) in (Union, UnionType) and len(get_args(type)) == 2 and NoneType in get_args(type)


def _is_new_type(type: Any) -> bool:
    return isinstance(type, NewType)


def _present(optional: Any) -> Any:
    return next(type for type in get_args(optional) if type is not NoneType)


def _as_it_is(value: Any, _: Any) -> Any:
    return value


def _object_hook(type: Any, made: cattrs.Converter) -> _Hook:
    structure = made.gen_structure_attrs_fromdict(type)
    return lambda value, _: structure(_require(Mapping, value), type)


def _array_hook(type: Any, made: cattrs.Converter) -> _Hook:
    kind: Any = get_origin(type)
    items: Any = GenericAlias(tuple, (get_args(type)[0], ...))
    structure: Any = homogenous_tuple_structure_factory(items, made)
    return lambda value, _: kind(structure(_require(list, value), items))


def _new_type_hook(type: Any, made: cattrs.Converter) -> _Hook:
    return made.get_structure_hook(type.__supertype__)


def _optional_hook(optional: Any, made: cattrs.Converter) -> _Hook:
    type = _present(optional)
    structure = made.get_structure_hook(type)
    return structure if structure is _as_it_is else lambda value, _: None if value is None else structure(value, type)


def _optional_dump_hook(optional: Any, made: cattrs.Converter) -> Callable[[Any], Any]:
    unstructure = made.get_unstructure_hook(_present(optional))
    return unstructure if unstructure is identity else lambda value: None if value is None else unstructure(value)


def _primitive_hook(wanted: Any) -> _Hook:
    return lambda value, _: _require(wanted, value)


def _require(wanted: Any, value: Any) -> Any:
    fits = isinstance(value, wanted) or (wanted is float and isinstance(value, int))
    if not fits or (isinstance(value, bool) and wanted is not bool):
        raise TypeError(f"must be {_NAMES[wanted]}")
    return value


def _enum_hook(value: Any, type: Any) -> Any:
    if not isinstance(value, str) or value not in list(type):
        raise TypeError(f"must be one of: {', '.join(type)}")
    return type(value)


def _moment_hook(value: Any, _: Any) -> datetime:
    try:
        return moment(_require(str, value))
    except (TypeError, ValueError):
        raise TypeError("must be a date and time in ISO 8601") from None


def _duration_hook(value: Any, _: Any) -> timedelta:
    try:
        return timedelta(microseconds=_require(int, value))
    except OverflowError:
        raise TypeError("must be a number of microseconds within 999999999 days") from None


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
