"""Approvals: what agents ask, for whoever answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import seconds, within
from codetether_adapters.http.resources.views import approval_view
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.approvals import Approval, ApprovalState
from codetether_core.events import Topic
from codetether_core.ids import ApprovalId, TaskId
from codetether_core.services import Services

__all__ = ["ROUTES", "AnswerBody", "ApprovalFilter", "Wait"]

_TAG: Final = "approvals"
_LONGEST_WAIT: Final = 60.0


@frozen(kw_only=True)
class AnswerBody:
    """An answer: the id of an option, or words where there are none."""

    choice: str | None = None
    text: str | None = None
    approval_id: str | None = None


@frozen(kw_only=True)
class ApprovalFilter:
    """Which approvals to list."""

    status: ApprovalState | None = None
    task_id: str | None = None
    limit: int = 100


@frozen
class Wait:
    """For how many seconds to wait for the answer."""

    wait: float = 0.0


async def find(call: Call) -> Response:
    """Approvals that match, newest first."""
    asked = call.query(ApprovalFilter)
    found = await call.services.questions.find(
        call.principal,
        task=TaskId(asked.task_id) if asked.task_id else None,
        state=asked.status,
        limit=within("limit", asked.limit, 1, 500),
    )
    return Json({"approvals": [approval_view(approval) for approval in found]})


async def show(call: Call) -> Response:
    """One approval, at once or as soon as it is no longer open."""
    patience = seconds("wait", call.query(Wait).wait, 0.0, _LONGEST_WAIT)
    approval = await call.services.questions.get(call.principal, ApprovalId(call.path["id"]))
    if patience and approval.state is ApprovalState.OPEN:
        approval = await _ended(call, approval, patience)
    return Json(approval_view(approval))


async def answer(call: Call) -> Response:
    """The first answer counts."""
    body = await call.body(AnswerBody)
    approval = await call.services.questions.answer(
        call.principal, ApprovalId(call.path["id"]), choice=body.choice, text=body.text
    )
    return Json({"success": True, "approval": approval_view(approval)})


async def _ended(call: Call, approval: Approval, patience: timedelta) -> Approval:
    """The approval once it is no longer open, or as it is when patience or this process ends: listen, look, wait."""
    services: Services = call.services
    topic = Topic.task(approval.tenant, approval.codebase, approval.task)
    until = services.clock.now() + patience
    with services.backend.notifier.listen(topic) as bell, call.drain.watched(bell.ring):
        while True:
            approval = await services.questions.get(call.principal, approval.id)
            left = until - services.clock.now()
            if approval.state is not ApprovalState.OPEN or left <= timedelta() or call.drain.begun:
                return approval
            if not await bell.wait(left):
                return await services.questions.get(call.principal, approval.id)


_A: Final = "/v1/agent/approvals"

ROUTES: Final = (
    Route(
        "GET",
        _A,
        find,
        "approvals:read",
        summary="List approvals",
        answer=shapes.Approvals,
        tag=_TAG,
        query=ApprovalFilter,
    ),
    Route(
        "GET",
        f"{_A}/{{id}}",
        show,
        "approvals:read",
        summary="Show an approval",
        answer=shapes.Approval,
        tag=_TAG,
        query=Wait,
        errors=(404,),
    ),
    Route(
        "POST",
        f"{_A}/{{id}}/answer",
        answer,
        "approvals:write",
        summary="Answer an approval",
        answer=shapes.ApprovalAnswer,
        tag=_TAG,
        body=AnswerBody,
        errors=(404, 409),
    ),
)
