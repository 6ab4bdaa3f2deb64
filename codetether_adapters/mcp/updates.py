"""What changes while a client listens: resources that it reads, tasks that it waits for, and which tasks there are.

The log says so, whichever replica wrote it. What comes close together is told once, and nothing is told of what the
caller may not read. How a task stands is told at first as well: it may have ended before anybody listened.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeAlias

from attrs import define, field

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.resources import found
from codetether_adapters.mcp.served import ListChange, Refused, TaskChange, Update, Watch
from codetether_adapters.mcp.uris import output_uri, session_uri, task_uri
from codetether_core.errors import NotFound, PermissionDenied
from codetether_core.events import Record, Topic
from codetether_core.services import TASK_KINDS, Resync
from codetether_core.tasks import OUTPUT_KINDS

__all__ = ["updates", "watchable"]

_WATCHED: Final = frozenset({"task", "task_output", "session"})
_CREATED: Final = "task.created"
_SESSION: Final = "session.synced"
_KINDS: Final = (*TASK_KINDS, _SESSION)
_MOST: Final = 100
"""Resources, and as many tasks, that one stream is about."""
_STRANGE: Final = 8
"""How many that are not there, or another's, are looked for: it costs more than to find what is there."""

_Show: TypeAlias = Callable[[Exchange, str], Awaitable[Mapping[str, Any]]]
"""From a task's id to how it stands; ``Refused`` if the caller may not know."""


async def watchable(hub: Hub, exchange: Exchange, asked: Watch) -> Watch:
    """Of all that is asked for: the tasks and sessions that the caller may read."""
    uris = await _known(asked.uris, lambda uri: _may_watch(hub, exchange, uri))
    tasks = await _known(asked.tasks, lambda id: _may_watch(hub, exchange, task_uri(id)))
    return Watch(uris=uris, tasks=tasks, lists=asked.lists)


async def updates(hub: Hub, exchange: Exchange, watch: Watch, show: _Show) -> AsyncGenerator[Update | None, None]:
    """Changes as they come; first ``None``, as soon as none can be missed."""
    if not (watch.uris or watch.tasks or watch.lists):
        yield None
        await asyncio.Event().wait()  # nothing is followed for who hears of nothing
    standings = _Standings(exchange, show)
    source = hub.services.watching.follow(Topic(exchange.principal.tenant), kinds=_KINDS)
    async with aclosing(source) as pages:
        begun = False
        async for page in pages:
            if isinstance(page, Resync):
                for update in await _all(watch, standings):
                    yield update
                continue
            if not page.records:
                yield None
            if not begun:
                begun = True
                for change in await standings.changed(watch.tasks):
                    yield change
            for update in await _told(hub, exchange, page.records, watch, standings):
                yield update


@define(eq=False)
class _Standings:
    """How tasks stood when it was last told, so that nothing is told twice."""

    _exchange: Exchange
    _show: _Show
    _told: dict[str, Mapping[str, Any]] = field(factory=dict, init=False)

    async def changed(self, tasks: Sequence[str]) -> Sequence[TaskChange]:
        """Those of them that stand otherwise now, and may still be known of."""
        changes: list[TaskChange] = []
        for id in tasks:
            try:
                shown = await self._show(self._exchange, id)
            except Refused:
                continue
            if self._told.get(id) != shown:
                self._told[id] = shown
                changes.append(TaskChange({name: part for name, part in shown.items() if name != "resultType"}))
        return changes


async def _all(watch: Watch, standings: _Standings) -> Sequence[Update]:
    """What has to be looked at anew, as nobody knows what was missed."""
    lists = [change for change in watch.lists if change is ListChange.RESOURCES]
    return [*watch.uris, *lists, *await standings.changed(watch.tasks)]


async def _told(
    hub: Hub, exchange: Exchange, records: Sequence[Record], watch: Watch, standings: _Standings
) -> Sequence[Update]:
    """What a page of records comes to, each once."""
    found: dict[ListChange | str, None] = {}
    moved: dict[str, None] = {}
    for record in records:
        subject = record.topic.subject
        if record.kind == _SESSION:
            found[session_uri(subject.removeprefix("session/"))] = None
        elif record.kind in OUTPUT_KINDS:
            found[output_uri(subject)] = None
        else:
            found[task_uri(subject)] = moved[subject] = None
            if record.kind == _CREATED and ListChange.RESOURCES in watch.lists and await _sees(hub, exchange, subject):
                found[ListChange.RESOURCES] = None
    resources = [each for each in found if isinstance(each, ListChange) or each in watch.uris]
    return [*resources, *await standings.changed([id for id in moved if id in watch.tasks])]


async def _sees(hub: Hub, exchange: Exchange, task: str) -> bool:
    try:
        await hub.task(exchange, task)
    except NotFound:
        return False
    return True


async def _known(names: Sequence[str], may: Callable[[str], Awaitable[bool]]) -> Sequence[str]:
    """Those that may be watched, in order, each once."""
    known: list[str] = []
    strange = 0
    for name in dict.fromkeys(names[:_MOST]):
        if await may(name):
            known.append(name)
        elif (strange := strange + 1) == _STRANGE:
            break
    return known


async def _may_watch(hub: Hub, exchange: Exchange, uri: str) -> bool:
    known = found(uri)
    if known is None or known[0].name not in _WATCHED:
        return False
    resource, part = known
    own: Mapping[str, str] = {"task": task_uri(part), "task_output": output_uri(part), "session": session_uri(part)}
    try:
        await hub.authorizer.authorize(exchange.principal, resource.permission)
        if resource.name == "session":
            await hub.session(exchange, part)
        else:
            await hub.task(exchange, part)
    except (NotFound, PermissionDenied):
        return False
    return uri == own[resource.name]
