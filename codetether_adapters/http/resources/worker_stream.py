"""The worker's stream: offers come down it, and holding it open is a sign of life.

``connected``, ``task_available`` and ``heartbeat`` are all that a deployed worker ever hears, for newer deployed ones
take any other name for a task. ``cancel`` and ``drain`` go to who asked for them in ``X-Worker-Events``; a stream
without that header is a deployed worker's, which ignores a task id that it has seen (the desk ends its stream
instead, and it polls).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from attrs import evolve, frozen
from starlette.responses import Response
from starlette.types import ASGIApp

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import following, shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.request_headers import STREAMING_WORKER, WORKER_ID
from codetether_adapters.http.resources.views import moment_view, task_view
from codetether_adapters.http.resources.words import Speaker, worker_of
from codetether_adapters.http.responses import Json, encode_json
from codetether_adapters.http.routing import Route
from codetether_adapters.sse import json_frame
from codetether_core.access import Principal
from codetether_core.codec import timestamp
from codetether_core.errors import Invalid, NotFound, Unavailable, VersionConflict
from codetether_core.ids import CodebaseId, WorkerId
from codetether_core.services import Connection, Services, profile_of
from codetether_core.tasks import Profile, Task, TaskState
from codetether_core.workers import Worker

__all__ = ["ROUTES", "StreamQuery"]

_TAG: Final = "worker"
_MOST_SLOTS: Final = 1000
_EVENTS: Final = frozenset({"cancel", "drain"})


@frozen
class StreamQuery:
    """Who connects; the headers ``X-Worker-ID`` and ``X-Agent-Name`` say the same."""

    worker_id: str | None = None
    agent_name: str | None = None


@frozen
class CodebasesBody:
    """The codebases that the worker serves from now on."""

    codebases: tuple[str, ...] | None = None
    workspaces: tuple[str, ...] | None = None
    worker_id: str | None = None


async def stream(call: Call) -> ASGIApp:
    """Hold a worker's stream open."""
    services: Services = call.services
    told = _told(call, call.query(StreamQuery))
    worker = await _met(services, call.principal, told)
    if "x-slots" not in call.headers:
        told = evolve(told, slots=worker.slots)
    opted = frozenset(_words(call, "x-worker-events")) & _EVENTS
    dedupes = "x-worker-events" not in call.headers
    farewell = json_frame(b"{}", event="drain") if "drain" in opted else b""
    frames = _frames(services, call.principal, told, worker, "cancel" in opted, dedupes)
    return call.stream(frames, farewell=farewell)


async def _frames(
    services: Services, principal: Principal, told: Worker, worker: Worker, cancels: bool, dedupes: bool
) -> AsyncIterator[bytes]:
    dispatch, clock = services.dispatch, services.clock
    beat = min(following.BEAT, services.terms.ttl / 4)  # a beat renews, so one that is lost must not cost the lease
    with dispatch.connect(_profile(told, worker), name=told.name, slots=told.slots, dedupes=dedupes) as connection:
        await dispatch.occupy(connection)
        await services.reporting.attend(principal, told.id)
        yield _connected(told)
        due = clock.now() + beat
        while not connection.ended:
            tasks = await connection.notices(max(due - clock.now(), timedelta()))
            if frames := b"".join(_notice(task) for task in tasks if cancels or task.state is TaskState.PENDING):
                yield frames
            if clock.now() >= due or not (tasks or connection.ended):
                due = clock.now() + beat
                await _beat(services, principal, told, connection)
                yield _heartbeat(told.id, timestamp(clock.now()))


async def _met(services: Services, principal: Principal, told: Worker) -> Worker:
    """The worker as it registered, noted as seen; one that has not registered is known by its stream."""
    try:
        return await services.registration.greet_worker(principal, told.id)
    except NotFound:
        return await services.registration.add_worker(principal, told)


async def _beat(services: Services, principal: Principal, told: Worker, connection: Connection) -> None:
    """The worker is there: note it, renew what it holds without a token, learn what went on at other replicas.

    A store that is away for a moment is no reason to send every worker away: the next beat does it.
    """
    with suppress(Unavailable, VersionConflict, NotFound):
        await services.reporting.attend(principal, told.id)
        await services.dispatch.occupy(connection)
        worker = await services.registration.greet_worker(principal, told.id)
        codebases = connection.slot.profile.codebases | frozenset(worker.codebases)
        services.dispatch.serve(principal.tenant, told.id, codebases)


def _told(call: Call, asked: StreamQuery) -> Worker:
    """What the request says of the worker."""
    name = asked.agent_name or call.headers.get("x-agent-name")
    if not name:
        raise Invalid("agent_name", "is required: in the query or as X-Agent-Name")
    worker = asked.worker_id or call.headers.get("x-worker-id") or call.services.entropy.bytes(6).hex()
    slots = call.headers.get("x-slots", "2") or ""
    if not (slots.isascii() and slots.isdigit() and len(slots) <= 4):
        raise Invalid("X-Slots", f"must be between 1 and {_MOST_SLOTS}")
    now = call.services.clock.now()
    return Worker(
        id=WorkerId(worker),
        tenant=call.principal.tenant,
        principal=call.principal.name,
        name=name,
        registered_at=now,
        last_seen=now,
        capabilities=_words(call, "x-capabilities"),
        agents=_words(call, "x-agents"),
        codebases=tuple(CodebaseId(id) for id in (*_words(call, "x-codebases"), *_words(call, "x-workspaces"))),
        slots=within("X-Slots", int(slots), 1, _MOST_SLOTS),
    )


def _profile(told: Worker, worker: Worker) -> Profile:
    """What the stream says and what the worker registered, together; the agents it runs are those of the stream."""
    now, before = profile_of(told), profile_of(worker)
    return evolve(
        now,
        names=now.names | before.names,
        codebases=now.codebases | before.codebases,
        capabilities=now.capabilities | before.capabilities,
    )


def _words(call: Call, header: str) -> tuple[str, ...]:
    """A header's comma-separated values."""
    return tuple(word for part in (call.headers.get(header) or "").split(",") if (word := part.strip()))


def _connected(worker: Worker) -> bytes:
    data = {
        "event": "connected",
        "worker_id": worker.id,
        "agent_name": worker.name,
        "message": "Connected to task stream",
        "timestamp": timestamp(worker.last_seen),
    }
    return json_frame(encode_json(data), event="connected")


def _notice(task: Task) -> bytes:
    name = "task_available" if task.state is TaskState.PENDING else "cancel"
    return json_frame(encode_json({"task_id": task.id, **task_view(task)}), event=name)


def _heartbeat(worker: str, now: str) -> bytes:
    return json_frame(encode_json({"timestamp": now, "worker_id": worker}), event="heartbeat")


async def put_codebases(call: Call) -> Response:
    """The worker serves these codebases from now on."""
    body = await call.body(CodebasesBody)
    if body.codebases is None and body.workspaces is None:
        raise Invalid("codebases", "is required")
    worker = worker_of(call, body.worker_id)
    codebases = (*(body.codebases or ()), *(body.workspaces or ()))
    known = await _serves(call, worker, tuple(CodebaseId(id) for id in codebases))
    if not call.services.dispatch.serve(call.principal.tenant, worker, frozenset(codebases)) and not known:
        raise NotFound("worker", worker, hint="connect or register first")
    return Json({"success": True, "worker_id": worker, "codebases": codebases, "message": "Codebases updated"})


async def _serves(call: Call, id: WorkerId, codebases: tuple[CodebaseId, ...]) -> bool:
    """Note it in the worker's registration, which other replicas read; whether there is one."""
    services: Services = call.services
    try:
        known = await services.backend.directory.workers.get(call.principal.tenant, id)
    except NotFound:
        return False
    await services.registration.add_worker(
        call.principal, evolve(known, codebases=codebases, last_seen=services.clock.now())
    )
    return True


async def connected(call: Call) -> Response:
    """The workers whose streams this process holds."""
    found = [_connection_view(each, await _last_seen(call, each)) for each in _connections(call)]
    return Json({"workers": found, "count": len(found), "timestamp": moment_view(call.services.clock.now())})


async def connected_one(call: Call) -> Response:
    """One worker whose stream this process holds."""
    for each in _connections(call):
        if each.slot.profile.worker == call.path["id"]:
            return Json(_connection_view(each, await _last_seen(call, each)))
    raise NotFound("worker", call.path["id"], hint="it holds no stream at this server")


def _connections(call: Call) -> list[Connection]:
    return [each for each in call.services.dispatch.connections if each.slot.profile.tenant == call.principal.tenant]


async def _last_seen(call: Call, connection: Connection) -> str:
    """The worker's last beat."""
    services: Services = call.services
    try:
        worker = await services.backend.directory.workers.get(call.principal.tenant, connection.slot.profile.worker)
    except NotFound:
        return timestamp(connection.since)
    return timestamp(worker.last_seen)


def _connection_view(connection: Connection, last_heartbeat: str) -> dict[str, Any]:
    slot = connection.slot
    tasks = sorted(slot.busy)
    return {
        "worker_id": slot.profile.worker,
        "agent_name": connection.name,
        "connected_at": timestamp(connection.since),
        "last_heartbeat": last_heartbeat,
        "is_busy": len(tasks) >= slot.slots,
        "current_task_id": tasks[0] if tasks else None,
        "task_ids": tasks,
        "slots": slot.slots,
        "capabilities": sorted(slot.profile.capabilities),
        "codebases": sorted(slot.profile.codebases),
        "workspaces": sorted(slot.profile.codebases),
    }


_W: Final = "/v1/worker"

ROUTES: Final = (
    Route(
        "GET",
        f"{_W}/tasks/stream",
        stream,
        "tasks:execute",
        summary="Receive offers",
        headers=STREAMING_WORKER,
        tag=_TAG,
        query=StreamQuery,
        stream="worker",
    ),
    Route(
        "PUT",
        f"{_W}/codebases",
        put_codebases,
        "workers:write",
        summary="Say which codebases a worker serves",
        headers=(WORKER_ID,),
        query=Speaker,
        answer=shapes.Served,
        tag=_TAG,
        body=CodebasesBody,
        errors=(404,),
    ),
    Route(
        "GET",
        f"{_W}/connected",
        connected,
        "workers:read",
        summary="List connected workers",
        answer=shapes.Connections,
        tag=_TAG,
    ),
    Route(
        "GET",
        f"{_W}/connected/{{id}}",
        connected_one,
        "workers:read",
        summary="Show a connected worker",
        answer=shapes.Connection,
        tag=_TAG,
        errors=(404,),
    ),
)
