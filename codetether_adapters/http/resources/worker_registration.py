"""A worker registers: what it says of itself, by the names that three generations of workers use."""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.workers import worker_view
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.errors import Invalid
from codetether_core.ids import CodebaseId, WorkerId
from codetether_core.workers import Worker

__all__ = ["ROUTES"]

_LONGEST_ID: Final = 200


@frozen
class RegisterWorker:
    """What a worker says of itself. ``workspaces`` and ``workspace_ids`` are other names of ``codebases``,
    ``max_concurrent_tasks`` of ``slots``; a model or an agent is an object (``id``, ``name``) or its name alone.
    """

    worker_id: str
    name: str
    capabilities: tuple[str, ...] = ()
    hostname: str | None = None
    models: tuple[Any, ...] = ()
    agents: tuple[Any, ...] = ()
    codebases: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()
    workspace_ids: tuple[str, ...] = ()
    global_codebase_id: str | None = None
    global_workspace_id: str | None = None
    slots: int | None = None
    max_concurrent_tasks: int | None = None


async def register(call: Call) -> Response:
    """Keep what a worker says of itself, over what it said before."""
    told = await call.body(RegisterWorker)
    now = call.services.clock.now()
    home = told.global_codebase_id or told.global_workspace_id
    worker = Worker(
        id=WorkerId(_text("worker_id", told.worker_id)),
        tenant=call.principal.tenant,
        principal=call.principal.name,
        name=_text("name", told.name),
        registered_at=now,
        last_seen=now,
        hostname=told.hostname or "",
        capabilities=tuple(dict.fromkeys(told.capabilities)),
        agents=tuple(dict.fromkeys(_named("agents", told.agents, "name"))),
        codebases=tuple(map(CodebaseId, dict.fromkeys((*told.codebases, *told.workspaces, *told.workspace_ids)))),
        global_codebase=CodebaseId(home) if home else None,
        models=tuple(
            model if isinstance(model, dict) else {"id": id}
            for model, id in zip(told.models, _named("models", told.models, "id"), strict=True)
        ),
        slots=_slots(told),
    )
    kept = await call.services.registration.add_worker(call.principal, worker)
    dispatch = call.services.dispatch
    for connection in dispatch.of_worker(kept.tenant, kept.id):  # what it has since it connected is offered at once
        dispatch.serve(kept.tenant, kept.id, connection.slot.profile.codebases | frozenset(kept.codebases))
    return Json({"success": True, "worker": worker_view(kept, now)})


def _text(field: str, value: str) -> str:
    if not value.strip() or value in (".", "..") or len(value) > _LONGEST_ID or not value.isprintable():
        raise Invalid(field, f"must have 1 to {_LONGEST_ID} printable characters")
    return value


def _named(field: str, told: tuple[Any, ...], member: str) -> list[str]:
    """The names in a list of names or of objects that have one."""
    names: list[str] = []
    for index, each in enumerate(told):
        name = each.get(member) if isinstance(each, dict) else each
        if not isinstance(name, str) or not name:
            raise Invalid(f"{field}.{index}", f"must be a string, or an object with {member}")
        names.append(name)
    return names


def _slots(told: RegisterWorker) -> int:
    if told.slots is not None:
        return within("slots", told.slots, 1, 1000)
    return (
        2 if told.max_concurrent_tasks is None else within("max_concurrent_tasks", told.max_concurrent_tasks, 1, 1000)
    )


ROUTES: Final = (
    Route(
        "POST", "/v1/agent/workers/register", register, "workers:write",
        summary="Register a worker", answer=shapes.WorkerAnswer, tag="workers", body=RegisterWorker,
    ),
)  # fmt: skip
