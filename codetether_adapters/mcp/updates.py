"""What changes while a client listens: resources that it reads, and which tasks there are.

The log says so, whichever replica wrote it. What comes close together is told once, and nothing is told of what the
caller may not read.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Final

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.resources import found
from codetether_adapters.mcp.served import ListChange, Update
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
"""Resources that one stream is about."""


async def watchable(hub: Hub, exchange: Exchange, uris: Sequence[str]) -> Sequence[str]:
    """Those of the addresses of whose changes the caller is told: of tasks and sessions that it may read."""
    return [uri for uri in dict.fromkeys(uris[:_MOST]) if await _may_watch(hub, exchange, uri)]


async def updates(
    hub: Hub, exchange: Exchange, uris: Collection[str], lists: Collection[ListChange]
) -> AsyncGenerator[Update | None, None]:
    """Changes as they come; first ``None``, as soon as none can be missed."""
    source = hub.services.watching.follow(Topic(exchange.principal.tenant), kinds=_KINDS)
    async with aclosing(source) as pages:
        async for page in pages:
            if isinstance(page, Resync):
                for uri in uris:
                    yield uri
                continue
            if not page.records:
                yield None
            for update in await _told(hub, exchange, page.records, uris, lists):
                yield update


async def _told(
    hub: Hub, exchange: Exchange, records: Sequence[Record], uris: Collection[str], lists: Collection[ListChange]
) -> Sequence[Update]:
    """What a page of records comes to, each once."""
    found: dict[Update, None] = {}
    for record in records:
        subject = record.topic.subject
        if record.kind == _SESSION:
            found[session_uri(subject.removeprefix("session/"))] = None
        elif record.kind in OUTPUT_KINDS:
            found[output_uri(subject)] = None
        else:
            found[task_uri(subject)] = None
            if record.kind == _CREATED and ListChange.RESOURCES in lists and await _sees(hub, exchange, subject):
                found[ListChange.RESOURCES] = None
    return [each for each in found if isinstance(each, ListChange) or each in uris]


async def _sees(hub: Hub, exchange: Exchange, task: str) -> bool:
    try:
        await hub.task(exchange, task)
    except NotFound:
        return False
    return True


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
