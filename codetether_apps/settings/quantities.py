"""Durations such as ``1h30m`` and sizes such as ``4MiB``: from text to values and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from codetether_apps.settings.kinds import Kind

__all__ = ["DURATION", "SIZE", "show_duration", "show_size"]

_UNITS: Final[Mapping[str, timedelta]] = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
    "us": timedelta(microseconds=1),
}
_PART: Final = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)(ms|us|d|h|m|s)")
_PLAIN: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?")
_DURATION: Final = "a duration such as 500ms, 60s, 10m, 1h30m or 30d (a plain number is seconds)"

_BYTES: Final[Mapping[str, int]] = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_SIZE: Final = re.compile(r"(\d{1,16})\s*([a-z]{0,3})")
_LARGEST: Final = 2**50


def _duration(raw: object) -> timedelta:
    text = str(raw).strip().lower() if isinstance(raw, str | int | float) and not isinstance(raw, bool) else ""
    try:
        if _PLAIN.fullmatch(text):
            total = timedelta(seconds=float(text))
        else:
            parts = _PART.findall(text)
            if not parts or "".join(number + unit for number, unit in parts) != text:
                raise ValueError
            total = sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta())
    except (ValueError, OverflowError):
        raise ValueError(_DURATION) from None
    if total <= timedelta():
        raise ValueError(f"{_DURATION}, more than nothing")
    return total


def show_duration(duration: timedelta) -> str:
    """The duration as it would be written in a setting."""
    written, rest = "", duration
    for name, unit in _UNITS.items():
        count, rest = divmod(rest, unit)
        if count:
            written += f"{count}{name}"
    return written or "0s"


def _size(raw: object) -> int:
    text = str(raw).strip().lower() if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
    found = _SIZE.fullmatch(text)
    if found is None or found[2] not in _BYTES or not 0 < int(found[1]) * _BYTES[found[2]] <= _LARGEST:
        raise ValueError("a size such as 65536, 500kB, 16KiB or 4MiB")
    return int(found[1]) * _BYTES[found[2]]


def show_size(size: int) -> str:
    """The size as it would be written in a setting."""
    for name, unit in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size % unit == 0:
            return f"{size // unit}{name}"
    return str(size)


DURATION: Final = Kind("duration", _duration, show_duration)
SIZE: Final = Kind("size", _size, show_size)
