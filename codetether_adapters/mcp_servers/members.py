"""Members of what a stranger wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

__all__ = ["Kinds", "fitting"]

Kinds: TypeAlias = Mapping[str, type]
"""Of which type each member has to be; ``int`` takes no truth value."""


def fitting(told: Mapping[str, Any], kinds: Kinds) -> dict[str, Any]:
    """Those that are known and of their type."""
    return {name: told[name] for name, kind in kinds.items() if type(told.get(name)) is kind}
