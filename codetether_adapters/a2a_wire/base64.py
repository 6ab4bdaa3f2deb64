"""Bytes in JSON."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Final

__all__ = ["read_bytes", "write_bytes"]

_URL_SAFE: Final = str.maketrans("-_", "+/")


def read_bytes(value: Any) -> bytes:
    """What base 64 stands for, of either alphabet, padded or not."""
    if not isinstance(value, str):
        raise TypeError("must be an object whose bytes are a string")
    text = value.translate(_URL_SAFE).rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise TypeError("must be an object whose bytes are in base 64") from None


def write_bytes(value: bytes) -> str:
    """In base 64, padded."""
    return b64encode(value).decode()
