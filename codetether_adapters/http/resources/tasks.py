"""Tasks, as clients see and steer them."""

from __future__ import annotations

from typing import Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.request_headers import SUBMIT_KEY
from codetether_adapters.http.resources.task_bodies import TaskBody
from codetether_adapters.http.resources.task_lists import list_answer, listed
from codetether_adapters.http.resources.views import explanation_view, task_details_view, task_view
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.errors import Invalid
from codetether_core.ids import CodebaseId, ContextId, TaskId, WorkerId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.tasks import ANYWHERE, TaskState

__all__ = ["ROUTES", "TaskFilter"]

_TAG: Final = "tasks"
_PENDING: Final = frozenset({TaskState.PENDING})
_DEPLOYED: Final = "opencode"
_POLL: Final = TaskQuery(states=_PENDING)
"""What a deployed worker asks for when it polls, without saying who it is: what its token's workers may take goes
first, so that other work does not crowd that out of the page.
"""


@frozen(kw_only=True)
class TaskFilter:
    """Which tasks to list. ``agent_name`` leaves of the pending ones those that a worker of that name may take, in
    whatever context they are.
    """

    codebase_id: str | None = None
    workspace_id: str | None = None
    status: tuple[str, ...] = ()
    worker_id: str | None = None
    context_id: str | None = None
    agent_name: str | None = None
    limit: int = 100
    offset: int = 0
    order: str = "priority"

    def states(self) -> frozenset[TaskState] | None:
        """The states that are named; ``None`` if none is."""
        return frozenset(state_of(word, TaskState) for word in self.status) or None

    def query(self, codebase: str | None = None) -> TaskQuery:
        """In the store's terms; ``Invalid`` names what is out of bounds."""
        if self.order not in [*TaskOrder]:
            raise Invalid("order", f"must be one of: {', '.join(TaskOrder)}")
        if self.context_id and self.agent_name:
            raise Invalid("context_id", "cannot be asked for together with agent_name")
        codebase = codebase or self.codebase_id or self.workspace_id
        return TaskQuery(
            codebase=CodebaseId(codebase) if codebase else None,
            states=self.states(),
            worker=WorkerId(self.worker_id) if self.worker_id else None,
            context=ContextId(self.context_id) if self.context_id else None,
            order=TaskOrder(self.order),
            limit=within("limit", self.limit, 1, 500),
            after=within("offset", self.offset, 0, 10_000_000),
        )


def state_of(word: str, states: type[TaskState]) -> TaskState:
    """The state of that name; ``Invalid`` names those that there are."""
    try:
        return states(word)
    except ValueError:
        raise Invalid("status", f"must be one of: {', '.join(states)}", code="unknown_status") from None


async def create(call: Call) -> Response:
    """A task for a codebase, or for none."""
    body = await call.body(TaskBody)
    task = await call.services.submission.submit(call.principal, body.spec(), key=_key(call))
    return Json(task_view(task))


async def create_in_codebase(call: Call) -> Response:
    """A task for the codebase of the path."""
    body = await call.body(TaskBody)
    task = await call.services.submission.submit(call.principal, body.spec(call.path["id"]), key=_key(call))
    return Json({"success": True, "task": task_view(task)})


async def find(call: Call) -> Response:
    """Tasks that match.

    A page has at most 4 MiB of JSON, so there may be fewer than ``limit``: where more may follow, the header ``Link``
    has the address of the next page (``rel="next"``).
    """
    asked = call.query(TaskFilter)
    query = asked.query()
    claiming = call.services.claiming
    if query.states == _PENDING and asked.agent_name:
        most = query.after + query.limit
        found = await claiming.open_to(call.principal, most, name=asked.agent_name, codebase=query.codebase)
        return list_answer(call, query, found[query.after :])
    if call.alias == _DEPLOYED and query == _POLL:
        return await listed(call, query, first=await claiming.open_to(call.principal, query.limit))
    return await listed(call, query)


async def find_in_codebase(call: Call) -> Response:
    """Tasks of the codebase of the path that match, in pages of at most 4 MiB of JSON as all lists of tasks."""
    query = call.query(TaskFilter).query(call.path["id"])
    if query.codebase not in ANYWHERE:
        await call.services.backend.codebases.get(call.principal.tenant, call.path["id"])
    return await listed(call, query)


async def show(call: Call) -> Response:
    """One task."""
    return Json(task_details_view(await call.services.backend.tasks.get(call.principal.tenant, _id(call))))


async def cancel(call: Call) -> Response:
    """End a task that nobody wants any more."""
    task = await call.services.submission.cancel(call.principal, _id(call))
    return Json({"success": True, "message": "Task cancelled", "task": task_view(task)})


async def erase(call: Call) -> Response:
    """Erase an ended task, and everything that it left: from then on it is not found.

    What stays is the record in the audit trail, and an event without a word of it.
    """
    await call.services.erasing.task(call.principal, _id(call))
    return Json({"success": True, "message": "Task erased", "task_id": _id(call)})


async def requeue(call: Call) -> Response:
    """Take a running task from its holder, or ask for an ended one again."""
    task = await call.services.submission.requeue(call.principal, _id(call), key=_key(call))
    message = "Task requeued" if task.id == _id(call) else f"Task requeued as {task.id}"
    return Json({"success": True, "task_id": task.id, "message": message, "task": task_view(task)})


async def retry(call: Call) -> Response:
    """A new task that asks for the same as an ended one."""
    task = await call.services.submission.retry(call.principal, _id(call), key=_key(call))
    return Json({"success": True, "task": task_view(task)})


async def review(call: Call) -> Response:
    """Somebody has looked at the outcome."""
    task = await call.services.submission.review(call.principal, _id(call))
    return Json({"success": True, "task": task_view(task)})


async def explain(call: Call) -> Response:
    """Why a task waits."""
    task, found = await call.services.claiming.explain(call.principal, _id(call))
    return Json(explanation_view(task, found))


def _id(call: Call) -> TaskId:
    return TaskId(call.path["id"])


def _key(call: Call) -> str:
    return call.headers.get("idempotency-key") or ""


_P: Final = "/v1/agent"

ROUTES: Final = (
    Route(
        "POST",
        f"{_P}/tasks",
        create,
        "tasks:write",
        summary="Submit a task",
        headers=(SUBMIT_KEY,),
        answer=shapes.Task,
        tag=_TAG,
        body=TaskBody,
        errors=(404, 409),
    ),
    Route(
        "GET",
        f"{_P}/tasks",
        find,
        "tasks:read",
        summary="List tasks",
        answer=list[shapes.Task],
        tag=_TAG,
        query=TaskFilter,
    ),
    Route(
        "POST",
        f"{_P}/codebases/{{id}}/tasks",
        create_in_codebase,
        "tasks:write",
        summary="Submit a task for a codebase",
        headers=(SUBMIT_KEY,),
        answer=shapes.TaskAnswer,
        tag=_TAG,
        body=TaskBody,
        errors=(404, 409),
    ),
    Route(
        "GET",
        f"{_P}/codebases/{{id}}/tasks",
        find_in_codebase,
        "tasks:read",
        summary="List a codebase's tasks",
        answer=list[shapes.Task],
        tag=_TAG,
        query=TaskFilter,
        errors=(404,),
    ),
    Route(
        "GET",
        f"{_P}/tasks/{{id}}",
        show,
        "tasks:read",
        summary="Show a task",
        answer=shapes.TaskDetails,
        tag=_TAG,
        errors=(404,),
    ),
    Route(
        "DELETE",
        f"{_P}/tasks/{{id}}",
        erase,
        "tasks:delete",
        summary="Erase an ended task",
        answer=shapes.TaskErased,
        tag=_TAG,
        errors=(404, 409),
    ),
    Route(
        "POST",
        f"{_P}/tasks/{{id}}/cancel",
        cancel,
        "tasks:write",
        summary="Cancel a task",
        answer=shapes.TaskCancelled,
        tag=_TAG,
        errors=(404, 409),
    ),
    Route(
        "POST",
        f"{_P}/tasks/{{id}}/requeue",
        requeue,
        "tasks:write",
        summary="Requeue a task",
        headers=(SUBMIT_KEY,),
        answer=shapes.Requeued,
        tag=_TAG,
        errors=(404, 409),
    ),
    Route(
        "POST",
        f"{_P}/tasks/{{id}}/retry",
        retry,
        "tasks:write",
        summary="Retry an ended task",
        headers=(SUBMIT_KEY,),
        answer=shapes.TaskAnswer,
        tag=_TAG,
        errors=(404, 409),
    ),
    Route(
        "POST",
        f"{_P}/tasks/{{id}}/review",
        review,
        "tasks:write",
        summary="Mark as reviewed",
        answer=shapes.TaskAnswer,
        tag=_TAG,
        errors=(404, 409),
    ),
    Route(
        "GET",
        f"{_P}/tasks/{{id}}/explain",
        explain,
        "tasks:read",
        summary="Why a task waits",
        answer=shapes.Explanation,
        tag=_TAG,
        errors=(404,),
    ),
)
