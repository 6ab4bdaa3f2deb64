"""Listing tasks, by the moment of their status, the latest first."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, Final

import orjson
from attrs import evolve

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.artifacts import INLINE, artifacts_of
from codetether_adapters.a2a.bounds import history_length, page_size
from codetether_adapters.a2a.operations.matching import STATES, matching, total
from codetether_adapters.a2a.paging import read_token, token_behind
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.views import view
from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.values import ListTasks, TaskState
from codetether_core.ids import ContextId
from codetether_core.ports import TaskOrder, TaskQuery

__all__ = ["find"]

_PAGE_BYTES: Final = 4 * 1024 * 1024
_MOST: Final = 1_000
"""How many tasks are looked at for one page."""


async def find(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """A page of those that match and that the client may see; fewer than it wants where they have too many bytes."""
    asked = dialect.parse(ListTasks, params)
    length, limit = history_length(asked.history_length), page_size(asked.page_size)
    query = await _query(agent, request, asked)
    shown: list[orjson.Fragment] = []
    seen, size, behind, following = 0, 0, "", ""
    async with aclosing(matching(agent, request, query)) as tasks:
        async for task in tasks:
            if len(shown) == limit or size > _PAGE_BYTES or seen == _MOST:
                following = behind
                break
            seen, behind = seen + 1, token_behind(task)
            told = await view(agent, request, task, history_length=length, artifacts=False)
            if query.states is not None and told.status.state is not asked.status:
                continue
            if asked.include_artifacts:
                artifacts = await artifacts_of(agent, request, task, INLINE // limit)
                told = evolve(told, artifacts=tuple(artifacts) or None)
            body = encode(dialect.dump(told))
            size += len(body)
            shown.append(orjson.Fragment(body))
    number = len(shown)
    if following or query.beyond is not None:
        number = await total(agent, request, query, asked.status or TaskState.UNSPECIFIED)
    return {"tasks": shown, "nextPageToken": following, "pageSize": limit, "totalSize": number}


async def _query(agent: Agent, request: Request, asked: ListTasks) -> TaskQuery:
    reach = await agent.reach(request.principal)
    return TaskQuery(
        context=ContextId(asked.context_id) if asked.context_id else None,
        states=STATES.get(asked.status or TaskState.UNSPECIFIED),
        created_by=None if reach.everybody else reach.name,
        since=asked.status_timestamp_after,
        order=TaskOrder.CHANGED,
        limit=asked.page_size + 1,
        beyond=read_token(asked.page_token),
    )
