"""Codebases: what there is to work on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from attrs import frozen

from codetether_adapters.mcp.arguments import argument
from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.clipping import WORDS, clipped
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.paging import sorted_page
from codetether_adapters.mcp.results import CodebaseDetails, CodebaseRow, Codebases, Registered
from codetether_adapters.mcp.tool import CHANGES, LOOKS, Link, Tool
from codetether_adapters.mcp.uris import codebase_uri
from codetether_core.codebases import Codebase
from codetether_core.ids import CodebaseId
from codetether_core.ports import TaskQuery
from codetether_core.tasks import TaskState
from codetether_core.workers import Presence, Worker, presence

__all__ = ["GET_CODEBASE", "LIST_CODEBASES", "REGISTER_CODEBASE"]

_HELD: Final = frozenset({TaskState.RUNNING, TaskState.INPUT_REQUIRED})
_PAGE: Final = 500
"""Of tasks that run: what more there were would not be counted."""

_LISTED: Final = 100


@frozen(kw_only=True)
class ListCodebases:
    query: str | None = argument("Only those with this in their name or path, whatever its case.", None, longest=200)
    limit: int = argument("How many at most.", 20, least=1, most=100)
    cursor: str | None = argument("next_cursor of the page before.", None, longest=2000)


@frozen(kw_only=True)
class GetCodebase:
    codebase: str = argument("The codebase's id, or its name where only one has it.", shortest=1, longest=500)


@frozen(kw_only=True)
class RegisterCodebase:
    name: str = argument("What to call it.", shortest=1, longest=200)
    path: str = argument(
        "The absolute path of its checkout on the workers that are to serve it.", shortest=1, longest=4000
    )
    description: str = argument("What it is, for whoever chooses among several.", "", longest=4000)


async def find(hub: Hub, exchange: Exchange, asked: ListCodebases) -> Codebases:
    """A page, by name."""
    backend, tenant = hub.services.backend, exchange.principal.tenant
    wanted = (asked.query or "").casefold()
    found = [
        each
        for each in await backend.codebases.list(tenant)
        if wanted in each.name.casefold() or wanted in each.path.casefold()
    ]
    there, running = await _there(hub, exchange), await _running(hub, exchange)

    def row(codebase: Codebase) -> CodebaseRow:
        held = running[codebase.id]
        return CodebaseRow(
            codebase_id=codebase.id,
            name=clipped(codebase.name),
            path=clipped(codebase.path),
            description=clipped(codebase.description),
            status="running" if held else "watching" if codebase.watching else "idle",
            workers_online=len(_serving(codebase, there)),
            running_tasks=held,
        )

    items, following = await sorted_page(
        found, lambda each: (each.name.casefold(), each.id), row, asked.limit, asked.cursor
    )
    return Codebases(items=items, next_cursor=following)


async def show(hub: Hub, exchange: Exchange, asked: GetCodebase) -> CodebaseDetails:
    """One, with what can be asked for there now."""
    codebase = await hub.codebase(exchange, asked.codebase)
    serving = _serving(codebase, await _there(hub, exchange))
    held = (await _running(hub, exchange, codebase.id))[codebase.id]
    models = {str(model["id"]) for worker in serving for model in worker.models}
    return CodebaseDetails(
        codebase_id=codebase.id,
        name=codebase.name,
        path=codebase.path,
        description=clipped(codebase.description, WORDS),
        status="running" if held else "watching" if codebase.watching else "idle",
        workers_online=len(serving),
        running_tasks=held,
        agent_types=tuple(sorted({type for worker in serving for type in worker.agents})[:_LISTED]),
        models=tuple(sorted(models)[:_LISTED]),
        last_activity_at=max(filter(None, (codebase.updated_at, codebase.last_triggered))),
    )


async def register(hub: Hub, exchange: Exchange, asked: RegisterCodebase) -> Registered:
    """The codebase of that name and path, new or known."""
    services, principal = hub.services, exchange.principal
    before = await services.backend.codebases.find(principal.tenant, asked.name, asked.path)
    codebase = await services.registration.add_codebase(
        principal, name=asked.name, path=asked.path, description=asked.description
    )
    return Registered(codebase_id=codebase.id, created=before is None)


async def _there(hub: Hub, exchange: Exchange) -> Sequence[Worker]:
    now = hub.services.clock.now()
    workers = await hub.services.backend.directory.workers.list(exchange.principal.tenant)
    return [each for each in workers if presence(each, now) is Presence.ACTIVE]


def _serving(codebase: Codebase, there: Collection[Worker]) -> Sequence[Worker]:
    return [each for each in there if each.id in codebase.workers or codebase.id in each.codebases]


async def _running(hub: Hub, exchange: Exchange, codebase: CodebaseId | None = None) -> Counter[str]:
    query = TaskQuery(codebase=codebase, states=_HELD, limit=_PAGE)
    tasks = await hub.services.backend.tasks.list(exchange.principal.tenant, query)
    return Counter(task.spec.codebase for task in tasks)


def _link(result: CodebaseDetails) -> Sequence[Link]:
    return [Link(codebase_uri(result.codebase_id), result.name, "This codebase, as it is when it is read.")]


LIST_CODEBASES: Final = Tool(
    name="list_codebases",
    title="List codebases",
    description=(
        "List the codebases that coding agents can work on, by name, with how many workers serve each and what runs."
        " Begin here: other tools take a codebase's id or name."
    ),
    permission="codebases:read",
    arguments=ListCodebases,
    result=Codebases,
    hints=LOOKS,
    run=find,
)

GET_CODEBASE: Final = Tool(
    name="get_codebase",
    title="Show a codebase",
    description="Show one codebase: which types of agents and which models can be asked for there now, and what runs.",
    permission="codebases:read",
    arguments=GetCodebase,
    result=CodebaseDetails,
    hints=LOOKS,
    run=show,
    links=_link,
)

REGISTER_CODEBASE: Final = Tool(
    name="register_codebase",
    title="Register a codebase",
    description=(
        "Make a checkout known by a name, so that tasks can be given for it. A worker has to serve that path before"
        " anything runs there. Calling it again with the same name and path changes nothing."
    ),
    permission="codebases:register",
    arguments=RegisterCodebase,
    result=Registered,
    hints=CHANGES,
    run=register,
)
