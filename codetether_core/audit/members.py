"""Objects in JSON that somebody may have tampered with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["members"]


def members(value: object) -> Mapping[str, Any]:
    """The members of an object; none of anything else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
