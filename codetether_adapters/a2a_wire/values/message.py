"""Messages: what the two sides say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import frozen

from codetether_adapters.a2a_wire.values.part import Part

__all__ = ["Message", "Role"]


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    AGENT = "agent"


@frozen(kw_only=True)
class Message:
    """One turn. ``extensions`` are the URIs of those that it uses; their data is in ``metadata`` under them."""

    message_id: str
    role: Role
    parts: tuple[Part, ...]
    context_id: str | None = None
    task_id: str | None = None
    metadata: Mapping[str, Any] | None = None
    extensions: tuple[str, ...] = ()
    reference_task_ids: tuple[str, ...] = ()
