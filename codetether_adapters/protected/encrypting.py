"""Encryption as a passage.

In place of what is hidden a value carries ``ct1.…``, which is encrypted. A clear value that looks as if it were is kept
as ``ct0.`` and its words as JSON, so that nobody can write what would be taken for encrypted. Whether or not values are
encrypted on their way in, those that are can be read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, TypeVar, cast
from weakref import WeakKeyDictionary

from attrs import evolve

from codetether_adapters.protected.forms import FORMS, SPEC, Form
from codetether_adapters.protected.kept_by_identity import KeptByIdentity
from codetether_adapters.tail import encode
from codetether_core.events import AUDIT, Event, Record
from codetether_core.ids import TaskId, TenantId
from codetether_core.services import Encryption
from codetether_core.tasks import Task, TaskSpec

__all__ = ["Encrypting"]

V = TypeVar("V")

_SEALED: Final = "ct1."
_ESCAPED: Final = "ct0."
_MARKS: Final = (_SEALED, _ESCAPED)
_MEMBER: Final = "ct"
"""The only member of an event's data that is hidden."""

_HEADS: Final = (b'{"ct":"ct0.', b'{"ct":"ct1.')


class Encrypting:
    """Encrypts what people and agents write, if it is ``on``; reads what was (a ``Passage``)."""

    def __init__(self, encryption: Encryption, *, on: bool) -> None:
        self._encryption = encryption
        self._on = on
        self._specs = KeptByIdentity[TaskSpec, tuple[TaskId, TaskSpec]]()
        self._records: WeakKeyDictionary[Record, Record] = WeakKeyDictionary()

    @property
    def searchable(self) -> bool:
        """Nobody finds what is encrypted."""
        return not self._on

    async def into(self, values: Sequence[V]) -> Sequence[V]:
        """Hide all that people and agents wrote."""
        if not self._on and not any(_looks_hidden(value) for value in values):
            return values
        return [await self._hidden(value) for value in values]

    async def out_of(self, values: Sequence[V]) -> Sequence[V]:
        """Show what is hidden."""
        if not any(_is_hidden(value) for value in values):
            return values
        return [await self._shown(value) if _is_hidden(value) else value for value in values]

    async def _hidden(self, value: V) -> V:
        if isinstance(value, Event):
            return cast("V", await self._hidden_event(value))
        if isinstance(value, Task):
            value = cast("V", evolve(value, spec=await self._hidden_spec(value)))
        form: Form[Any] | None = FORMS.get(type(value))
        if form is None or not (self._on or _marked(form, value)):
            return value
        return cast("V", await self._carried(cast("Any", value).tenant, form, value))

    async def _hidden_spec(self, task: Task) -> TaskSpec:
        """It never changes, and is encrypted once however often its task is written."""
        known = self._specs.get(task.spec)
        if known is not None and known[0] == task.id:  # two tasks may have been asked for in the very same words
            return known[1]
        pair = (task, task.spec)
        if not (self._on or _marked(SPEC, pair)):
            return task.spec
        _, hidden = await self._carried(task.tenant, SPEC, pair)
        self._specs.keep(task.spec, (task.id, hidden))
        return hidden

    async def _hidden_event(self, event: Event) -> Event:
        if event.topic.scope == AUDIT or not (self._on or _looks_hidden(event)):
            return event
        body = encode(event.data)
        if self._on:
            text = await self._encryption.encrypt(event.topic.tenant, body, *_place(event))
        else:
            text = _ESCAPED + body.decode()
        return evolve(event, data={_MEMBER: text})

    async def _carried(self, tenant: TenantId, form: Form[V], value: V) -> V:
        words = form.words(value)
        if words is None:
            return value
        body = encode(words)
        if self._on:
            return form.hidden(value, await self._encryption.encrypt(tenant, body, *form.place(value)))
        return form.hidden(value, _ESCAPED + body.decode())

    async def _shown(self, value: V) -> V:
        if isinstance(value, Record):
            return cast("V", await self._shown_record(value))
        if isinstance(value, Task):
            value = cast("V", await self._with_shown_spec(value))
        form: Form[Any] = FORMS[type(value)]
        if not _marked(form, value):
            return value
        return cast("V", await self._told(cast("Any", value).tenant, form, value))

    async def _with_shown_spec(self, task: Task) -> Task:
        if not _marked(SPEC, (task, task.spec)):
            return task
        _, spec = await self._told(task.tenant, SPEC, (task, task.spec))
        self._specs.keep(spec, (task.id, task.spec))
        return evolve(task, spec=spec)

    async def _told(self, tenant: TenantId, form: Form[V], value: V) -> V:
        text = cast("str", form.carrier(value))
        return form.shown(value, json.loads(await self._clear(tenant, text, form.place(value))))

    async def _shown_record(self, record: Record) -> Record:
        """Whoever was first has shown it to all: renderings are kept beside a record."""
        known = self._records.get(record)
        if known is None:
            text: str = json.loads(record.body)[_MEMBER]
            clear = await self._clear(record.topic.tenant, text, _place(record))
            known = self._records.setdefault(record, evolve(record, body=clear, frames={}))
        return known

    async def _clear(self, tenant: TenantId, text: str, place: Sequence[str]) -> bytes:
        if text.startswith(_ESCAPED):
            return text.removeprefix(_ESCAPED).encode()
        return await self._encryption.decrypt(tenant, text, *place)


def _place(event: Event | Record) -> tuple[str, ...]:
    return "event", event.topic.scope, event.topic.subject, event.kind


def _marked(form: Form[V], value: V) -> bool:
    carrier = form.carrier(value)
    return isinstance(carrier, str) and carrier.startswith(_MARKS)


def _looks_hidden(value: object) -> bool:
    """Whether a clear value would be taken for one that is hidden."""
    if isinstance(value, Event):
        return value.topic.scope != AUDIT and [*value.data] == [_MEMBER]
    return _is_hidden(value)


def _is_hidden(value: object) -> bool:
    if isinstance(value, Record):
        return value.body.startswith(_HEADS)
    if isinstance(value, Task) and _marked(SPEC, (value, value.spec)):
        return True
    form = FORMS.get(type(value))
    return form is not None and _marked(form, value)
