"""Redaction as a passage: no registered secret of a tenant gets into a store by what anybody wrote.

Words are searched: what a form hides, what programs call themselves, and the data of events but for the ids and words
of the protocol in it. What others find a value by is left as it is, or nobody would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any, Final, TypeVar, cast

from attrs import evolve

from codetether_adapters.protected.forms import FORMS, SPEC, Form
from codetether_core.access import Credential
from codetether_core.events import Event
from codetether_core.ids import TenantId
from codetether_core.redaction import Redactor, rewritten
from codetether_core.services import Redaction
from codetether_core.tasks import Task
from codetether_core.workers import Worker

__all__ = ["Redacting"]

V = TypeVar("V")

_WORDS: Final[Mapping[type[Any], Sequence[str]]] = {Worker: ("hostname", "models"), Credential: ("name", "device")}
"""Members with words in values of which nothing is hidden."""

_PROTOCOL: Final = frozenset(
    {
        "agent", "agent_type", "answered_by", "by", "codebase", "created_by", "from_agent", "id", "kind", "owner",
        "principal", "reason", "role", "roles", "state", "status", "stream", "tenant", "to_agent", "type", "worker",
    }
)  # fmt: skip
"""Members of events that have no words in them, besides all ids."""


class Redacting:
    """Takes secrets out of values on their way in (a ``Passage``); nothing that is kept has any."""

    searchable = True

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    async def into(self, values: Sequence[V]) -> Sequence[V]:
        """Without the secrets of whose they are; ``NotConfigured`` or ``Undecipherable`` where one cannot be read."""
        cleaned = [_cleaned(await self._redaction.of(_tenant(value)), value) for value in values]
        return values if all(map(is_, cleaned, values)) else cleaned

    async def out_of(self, values: Sequence[V]) -> Sequence[V]:
        """As they are."""
        return values


def _tenant(value: Any) -> TenantId:
    tenant: TenantId = value.topic.tenant if isinstance(value, Event) else value.tenant
    return tenant


def _cleaned(redactor: Redactor, value: V) -> V:
    if not redactor:
        return value
    if isinstance(value, Event):
        return cast("V", _cleaned_event(redactor, value))
    if isinstance(value, Task):
        task: Task = value
        _, spec = _with_clean_words(redactor, SPEC, (task, task.spec))
        value = cast("V", task if spec is task.spec else evolve(task, spec=spec))
    form: Form[Any] | None = FORMS.get(type(value))
    if form is not None:
        return cast("V", _with_clean_words(redactor, form, value))
    words = {name: getattr(value, name) for name in _WORDS.get(type(value), ())}
    clean = rewritten(words, redactor.whole)
    return value if clean is words else cast("V", evolve(cast("Any", value), **clean))


def _with_clean_words(redactor: Redactor, form: Form[V], value: V) -> V:
    words = form.words(value)
    clean = rewritten(words, redactor.whole)
    return value if clean is words else form.shown(value, clean)


def _cleaned_event(redactor: Redactor, event: Event) -> Event:
    data = {
        name: value if name in _PROTOCOL or name.endswith("_id") else rewritten(value, redactor.whole)
        for name, value in event.data.items()
    }
    return event if all(map(is_, data.values(), event.data.values())) else evolve(event, data=data)
