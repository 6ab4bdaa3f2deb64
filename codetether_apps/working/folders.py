"""Directories that are named after something that a server says."""

from __future__ import annotations

import re
from typing import Final

from codetether_core.ids import digest

__all__ = ["folder"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def folder(text: str) -> str:
    """A name that leads nowhere else: the text, or its digest where that is no plain name."""
    return text if _PLAIN.fullmatch(text) else digest(text)
