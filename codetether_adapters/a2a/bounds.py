"""Numbers within bounds."""

from __future__ import annotations

from typing import Final

from codetether_core.errors import Invalid

__all__ = ["history_length", "page_size"]

_PAGE: Final = 100


def history_length(value: int | None, field: str = "historyLength") -> int | None:
    """How many messages are wanted; ``None`` for all."""
    if value is not None and value < 0:
        raise Invalid(field, "must not be negative")
    return value


def page_size(value: int) -> int:
    """How many are wanted at once."""
    if not 1 <= value <= _PAGE:
        raise Invalid("pageSize", f"must be between 1 and {_PAGE}")
    return value
