"""The dialect of the 1.4.3 server, whose parts have a ``type`` and their words in ``content``, as far as it worked.

A message is answered with the task and what its agent said; a task is named by ``task_id``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.methods import Method, Operation
from codetether_adapters.a2a.operations.cancel import cancel
from codetether_adapters.a2a.operations.delivering import deliver
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.views import view
from codetether_adapters.a2a.waiting import settled
from codetether_adapters.a2a_wire.v03 import V03
from codetether_adapters.a2a_wire.values import SendMessage
from codetether_core.codec import timestamp
from codetether_core.tasks import Task, TaskState

__all__ = ["answer", "is_meant"]

_ID: Final = "task_id"
_STATES: Final[Mapping[TaskState, str]] = {TaskState.RUNNING: "working", TaskState.INPUT_REQUIRED: "input-required"}


def is_meant(method: Method, params: Any) -> bool:
    """Whether a request is of this dialect: its parts say so, or how it names a task."""
    if method.dialect is not V03 or not isinstance(params, Mapping):
        return False
    match method.operation, params.get("message"):
        case Operation.SEND, {"parts": [{"type": str(), "content": _}, *_]}:
            return True
        case ((Operation.GET | Operation.CANCEL), _):
            return _ID in params and "id" not in params
    return False


async def answer(agent: Agent, request: Request, operation: Operation, params: Mapping[str, Any]) -> Any:
    """The result."""
    if operation is Operation.SEND:
        asked = V03.parse(SendMessage, _as_0_3(agent, request, params))
        task = (await deliver(agent, request, asked, V03.name)).task
        if not asked.configuration.return_immediately:
            task = await settled(agent, request, task)
    else:
        if operation is Operation.CANCEL:
            await cancel(agent, request, V03, {"id": params[_ID]})
        task = await agent.task(request.principal, str(params[_ID]))
    told = {"task": _shown(task)}
    if operation is not Operation.SEND:
        return told
    said = (await view(agent, request, task, artifacts=False)).status.message
    parts = [{**_part(V03.dump(part)), "metadata": None} for part in said.parts] if said else []
    return told | {"message": {"parts": parts, "metadata": None}}


def _as_0_3(agent: Agent, request: Request, params: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the words of release 0.3, with the ids that it lacks."""
    message = dict(params["message"])
    message["parts"] = [_part_of(part) for part in message["parts"]]
    message.setdefault("messageId", request.key or agent.services.entropy.bytes(16).hex())
    message.setdefault("role", "user")
    if params.get(_ID) is not None:
        message["taskId"] = params[_ID]
    metadata = params.get("metadata") or {}
    if params.get("skill_id") is not None and isinstance(metadata, Mapping):
        metadata = {**metadata, "skill_id": params["skill_id"]}
    return {**params, "message": message, "metadata": metadata}


def _part_of(part: Any) -> Any:
    if not isinstance(part, Mapping) or "content" not in part:
        return part
    return {"kind": part.get("type"), str(part.get("type")): part["content"], "metadata": part.get("metadata")}


def _part(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": told["kind"], "content": told.get(told["kind"])}


def _shown(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "status": _STATES.get(task.state, task.state.value),
        "created_at": timestamp(task.created_at),
        "updated_at": timestamp(task.updated_at),
        "title": task.spec.title,
        "description": task.spec.prompt,
        "progress": 1.0 if task.ended else 0.0,
        "messages": [],
        "worker_id": task.grant.worker if task.grant else None,
        "claimed_at": timestamp(task.started_at) if task.started_at else None,
        "model_ref": task.spec.model and task.spec.model.replace("/", ":", 1),
    }
