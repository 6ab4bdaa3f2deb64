"""How deep JSON is nested."""

from __future__ import annotations

from typing import Any

__all__ = ["is_deeper"]


def is_deeper(value: Any, depth: int) -> bool:
    """Whether arrays and objects are nested deeper than that. Level by level, for the whole costs little then."""
    level = [value]
    for _ in range(depth):
        level = [
            member
            for each in level
            for member in (each.values() if isinstance(each, dict) else each)
            if isinstance(member, dict | list)
        ]
        if not level:
            return False
    return True
