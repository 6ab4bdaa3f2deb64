"""What the holder of a task reports: how the run stands, its output, its questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen
from starlette.responses import Response, StreamingResponse

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.approvals import AnswerBody
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.outcomes import carry_out
from codetether_adapters.http.resources.request_headers import ASK_KEY, HOLDER
from codetether_adapters.http.resources.task_bodies import Ask, Outputs, StatusReport
from codetether_adapters.http.resources.task_events import output_body
from codetether_adapters.http.resources.views import approval_view, lease_view, task_view
from codetether_adapters.http.resources.words import Speaker, word_of
from codetether_adapters.http.responses import Encoded, Json, encode_json
from codetether_adapters.http.routing import Route
from codetether_core.events import Cursor, Record, Topic
from codetether_core.ids import ApprovalId, TaskId
from codetether_core.services import Services
from codetether_core.tasks import OUTPUT_KINDS

__all__ = ["ROUTES", "OutputFilter"]

_TAG: Final = "tasks"
_MOST_BYTES: Final = 4 * 1024 * 1024


@frozen
class OutputFilter:
    """Which output to read: from the ``since``-th piece on (counted from 0), or after a cursor."""

    since: str = "0"
    limit: int = 1000


async def put_status(call: Call) -> Response:
    """The holder says how the run stands."""
    report = await call.body(StatusReport)
    word = word_of(call, report.worker_id, report.lease_token)
    task = await carry_out(call, word, TaskId(call.path["id"]), report)
    answer: dict[str, Any] = {"success": True, "task": task_view(task)}
    if task.holder is not None:
        answer["lease"] = lease_view(task.holder, call.services.terms.ttl)
    return Json(answer)


async def add_output(call: Call) -> Response:
    """The run has printed something."""
    body = await call.body(Outputs)
    chunks = body.chunks()
    word = word_of(call, body.worker_id, body.lease_token)
    first = None if body.first is None else within("first", body.first, 0, 2**53)
    await call.services.reporting.output(call.principal.tenant, word, TaskId(call.path["id"]), chunks, first=first)
    return Json({"success": True, "accepted": len(chunks)})


async def read_output(call: Call) -> Response:
    """What the run has printed."""
    services: Services = call.services
    asked = call.query(OutputFilter)
    limit = within("limit", asked.limit, 1, 10_000)
    task = await services.backend.tasks.get(call.principal.tenant, TaskId(call.path["id"]))
    total = await services.task_logs.count(task)
    records: Sequence[Record]
    following: str | int
    if asked.since.isascii() and asked.since.isdigit():
        offset = min(int(asked.since[:18]), total)
        records = await services.task_logs.output(task, offset=offset, limit=limit, size=_MOST_BYTES)
        following = offset + len(records)
    else:
        topic = Topic.task(task.tenant, task.spec.codebase, task.id)
        page = await services.backend.log.read(topic, Cursor.parse(asked.since, "since"), kinds=OUTPUT_KINDS)
        records = page.records[:limit]
        whole = len(records) == len(page.records)
        following = str(page.cursor if whole else Cursor(page.cursor.epoch, records[-1].position))
    return Encoded(_outputs(task.id, records, total, following))


async def read_log(call: Call) -> Response:
    """Every event of a task, those that were filed away too, as lines of JSON: up to now."""
    task = await call.services.backend.tasks.get(call.principal.tenant, TaskId(call.path["id"]))
    return StreamingResponse(call.services.task_logs.lines(task), media_type="application/x-ndjson")


async def ask(call: Call) -> Response:
    """The holder asks."""
    body = await call.body(Ask)
    word = word_of(call, body.worker_id, body.lease_token)
    task, approval = await call.services.asking.ask(
        call.principal.tenant,
        word,
        TaskId(call.path["id"]),
        body.question(),
        key=call.headers.get("idempotency-key") or "",
    )
    return Json({"success": True, "approval": approval_view(approval), "task": task_view(task)})


async def answer(call: Call) -> Response:
    """Somebody answers what a task asks."""
    body = await call.body(AnswerBody)
    questions, id = call.services.questions, body.approval_id
    if id is None:
        id = (await questions.sole(call.principal, TaskId(call.path["id"]))).id
    approval = await questions.answer(call.principal, ApprovalId(id), choice=body.choice, text=body.text)
    return Json({"success": True, "approval": approval_view(approval)})


def _outputs(task: TaskId, records: Sequence[Record], total: int, following: str | int) -> bytes:
    """The answer, joined from bodies that are JSON already."""
    rendered = b",".join(output_body(record) for record in records)
    return b'{"task_id":%b,"outputs":[%b],"total":%d,"next":%b}' % (
        encode_json(task),
        rendered,
        total,
        encode_json(following),
    )


_T: Final = "/v1/agent/tasks/{id}"
_ERRORS: Final = (404, 409)

ROUTES: Final = (
    Route(
        "PUT",
        f"{_T}/status",
        put_status,
        "tasks:execute",
        summary="Report how a run stands",
        headers=HOLDER,
        query=Speaker,
        answer=shapes.Reported,
        tag=_TAG,
        body=StatusReport,
        errors=_ERRORS,
    ),
    Route(
        "POST",
        f"{_T}/output",
        add_output,
        "tasks:execute",
        summary="Append output",
        headers=HOLDER,
        query=Speaker,
        answer=shapes.Accepted,
        tag=_TAG,
        body=Outputs,
        errors=_ERRORS,
    ),
    Route(
        "GET",
        f"{_T}/output",
        read_output,
        "tasks:read",
        summary="Read output",
        answer=shapes.OutputPage,
        tag=_TAG,
        query=OutputFilter,
        errors=(404, 410),
    ),
    Route(
        "GET",
        f"{_T}/log",
        read_log,
        "tasks:read",
        summary="Read a task's whole log",
        answer={"type": "string", "description": "Lines of JSON: number, kind, at and data."},
        media_type="application/x-ndjson",
        tag=_TAG,
        errors=(404,),
    ),
    Route(
        "POST",
        f"{_T}/ask",
        ask,
        "tasks:execute",
        summary="Ask a question",
        headers=(*HOLDER, ASK_KEY),
        query=Speaker,
        answer=shapes.Asked,
        tag=_TAG,
        body=Ask,
        errors=_ERRORS,
    ),
    Route(
        "POST",
        f"{_T}/answer",
        answer,
        "approvals:write",
        summary="Answer a task's question",
        answer=shapes.ApprovalAnswer,
        tag=_TAG,
        body=AnswerBody,
        errors=_ERRORS,
    ),
)
