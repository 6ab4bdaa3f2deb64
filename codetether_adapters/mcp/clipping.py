"""Texts within bounds."""

from __future__ import annotations

from typing import Final

__all__ = ["LINE", "WORDS", "clipped", "is_clipped"]

LINE: Final = 200
"""Characters of what stands in a row."""

WORDS: Final = 8_000
"""Characters of what is shown alone."""

_MARK: Final = "…"


def clipped(text: str, most: int = LINE) -> str:
    """The text, or its beginning and a mark that there is more."""
    return text if len(text) <= most else f"{text[: most - 1]}{_MARK}"


def is_clipped(text: str | None, most: int) -> bool:
    """Whether that would leave anything out."""
    return text is not None and len(text) > most
