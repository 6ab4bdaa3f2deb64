"""What a copy of a store is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

__all__ = ["Entry"]


@frozen
class Entry:
    """One piece of a copy: plain JSON values, and what they are."""

    kind: str
    data: Mapping[str, Any]
