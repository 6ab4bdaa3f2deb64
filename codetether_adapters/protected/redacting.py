"""Redaction as a passage: no registered secret of a tenant gets into a store, whatever it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any, TypeVar

from codetether_core.errors import Invalid
from codetether_core.events import Event
from codetether_core.ids import TenantId
from codetether_core.redaction import Redactor, rewritten
from codetether_core.services import Redaction

__all__ = ["Redacting"]

V = TypeVar("V")

_PLACES = ("id", "codebase", "topic")
"""Members by which others find a value: these cannot be told otherwise."""


class Redacting:
    """Takes secrets out of values on their way in (a ``Passage``); nothing that is kept has any."""

    searchable = True

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    async def into(self, values: Sequence[V]) -> Sequence[V]:
        """``Invalid`` for a value that is named by a secret."""
        cleaned = [_cleaned(await self._redaction.of(_tenant(value)), value) for value in values]
        return values if all(map(is_, cleaned, values)) else cleaned

    async def out_of(self, values: Sequence[V]) -> Sequence[V]:
        """As they are."""
        return values


def _tenant(value: Any) -> TenantId:
    tenant: TenantId = value.topic.tenant if isinstance(value, Event) else value.tenant
    return tenant


def _cleaned(redactor: Redactor, value: V) -> V:
    cleaned = rewritten(value, redactor.whole) if redactor else value
    if cleaned is not value:
        for place in _PLACES:
            if getattr(cleaned, place, None) != getattr(value, place, None):
                raise Invalid(place, "has a registered secret in it", hint="use another name", code="secret_in_text")
    return cleaned
