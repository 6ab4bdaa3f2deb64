"""Query strings, read into attrs classes.

A name may be repeated or its values joined by commas where the class has an array; elsewhere the last one counts.
Text becomes what the member's type asks for; names that the class has not are ignored, as in bodies. A bare name
(``?verbose``) is true for a boolean, the empty text for text, and as good as absent for anything else.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import attrs

from codetether_core import codec
from codetether_core.errors import Invalid

__all__ = ["read_pairs", "read_query"]

T = TypeVar("T")

_Reader = Callable[[str], Any]

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_BOOLEANS: Final[Mapping[str, bool]] = {
    "": True, "true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False,
}  # fmt: skip
_MOST_FIELDS: Final = 100


def read_query(cls: type[T], raw: bytes) -> T:
    """The query string as a ``cls``; ``Invalid`` names the parameter that is wrong."""
    if not raw:
        return codec.parse(cls, {})
    given: dict[str, list[str]] = {}
    for name, value in _pairs(raw):
        given.setdefault(name, []).append(value)
    kind: Any = cls
    members = _members(kind)
    data: dict[str, Any] = {}
    for name, texts in given.items():
        member = members.get(name)
        if member is None:
            continue
        many, read = member
        if many:
            data[name] = [read(part) for text in texts for part in text.split(",") if part]
        elif texts[-1] or read in (_text, _boolean):
            data[name] = read(texts[-1])
    return codec.parse(cls, data)


def read_pairs(raw: bytes) -> dict[str, str]:
    """The query string as it is: of a name that is there twice, the last counts. ``Invalid`` if it is no text."""
    return dict(_pairs(raw)) if raw else {}


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except UnicodeDecodeError:
        raise Invalid("", "the query string is not UTF-8", code="query_malformed") from None
    except ValueError:
        raise Invalid("", f"the query has more than {_MOST_FIELDS} parameters", code="query_malformed") from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise Invalid(name.replace("\0", ""), "must not contain the NUL character", code="query_malformed")
    return pairs


@cache
def _members(cls: Any) -> Mapping[str, tuple[bool, _Reader]]:
    """Of each member: whether it is an array, and how its text is read."""
    hints = get_type_hints(cls)
    members = {}
    for attribute in attrs.fields(cls):
        kind = _without_none(hints[attribute.name])
        many = get_origin(kind) in (tuple, list, frozenset)
        members[attribute.name] = (many, _reader(_without_none(get_args(kind)[0]) if many else kind))
    return members


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        return next(part for part in get_args(kind) if part is not types.NoneType)
    return kind


def _reader(kind: Any) -> _Reader:
    kind = getattr(kind, "__supertype__", kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _word
    return {bool: _boolean, int: _integer, float: _number, datetime: _word}.get(kind, _text)


def _text(text: str) -> Any:
    return text


def _word(text: str) -> Any:
    return text


def _boolean(text: str) -> Any:
    return _BOOLEANS.get(text.lower(), text)


def _integer(text: str) -> Any:
    return int(text) if _INTEGER.fullmatch(text) else text


def _number(text: str) -> Any:
    return float(text) if _NUMBER.fullmatch(text) else text
