"""What agents print as JSON, read into values that every store, stream and client can hold.

Agents print what their own parsers let through. A lone surrogate and the NUL character become U+FFFD; a number that
has no place in 64 bits, NaN and the infinities stay what they were printed as: text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, TypeAlias, cast

from codetether_core.nesting import is_deeper

__all__ = ["read_object"]

_DEEPEST: Final = 100
_UNFIT: Final = re.compile("[\0\ud800-\udfff]")
_ESCAPED: Final = "\\u"
_LONGEST: Final = len(str(-(2**63)))

_Json: TypeAlias = "dict[str, _Json] | list[_Json] | str | float | bool | None"


def read_object(text: str) -> Mapping[str, Any] | None:
    """The object that the text is; ``None`` if it is none, or nested deeper than 100 levels."""
    try:
        value: Any = json.loads(text, parse_int=_integer, parse_float=_number, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or _too_deep(value, text):
        return None
    read = cast("dict[str, Any]", value)
    if _ESCAPED in text or _UNFIT.search(text):
        return {_UNFIT.sub("\ufffd", name): _fit(member) for name, member in read.items()}
    return read


def _integer(text: str) -> int | str:
    if len(text) > _LONGEST:
        return text
    value = int(text)
    return value if -(2**63) <= value < 2**64 else text


def _number(text: str) -> float | str:
    value = float(text)
    return value if isfinite(value) else text


def _too_deep(value: Any, text: str) -> bool:
    return text.count("{") + text.count("[") > _DEEPEST and is_deeper(value, _DEEPEST)


def _fit(value: _Json) -> _Json:
    if isinstance(value, str):
        return _UNFIT.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_UNFIT.sub("\ufffd", name): _fit(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_fit(member) for member in value]
    return value
