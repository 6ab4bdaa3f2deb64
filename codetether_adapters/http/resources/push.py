"""Webhooks that nobody answered for too long, and what receivers verify our signatures with."""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.webhooks import Webhook

__all__ = ["ROUTES"]

_TAG: Final = "push"
_PATH: Final = "/v1/agent/push"


@frozen(kw_only=True)
class DeadLetterPage:
    """Which of them: up to ``limit``, behind the one with the id ``after``."""

    limit: int = 100
    after: str = ""


async def dead_letters(call: Call) -> Response:
    """In order of id; one's own, or everybody's for who may see everybody's tasks."""
    asked = call.query(DeadLetterPage)
    limit = within("limit", asked.limit, 1, 500)
    found = await call.services.webhook_keeping.dead(call.principal, limit + 1, asked.after)
    following = found[limit - 1].id if len(found) > limit else None
    return Json({"dead_letters": [_view(webhook) for webhook in found[:limit]], "next": following})


async def retry(call: Call) -> Response:
    """Deliver what is left, from now on and for as long as at first."""
    return Json(_view(await call.services.webhook_keeping.revive(call.principal, call.path["id"])))


async def signing_key(call: Call) -> Response:
    """The public key of the signatures `v1a` (Standard Webhooks); none where the installation has no key."""
    return Json({"key": call.services.webhook_keeping.signing_key or None})


def _view(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "name": webhook.name,
        "task_id": webhook.task,
        "codebase_id": webhook.codebase,
        "owner": webhook.owner,
        "protocol": webhook.dialect,
        "state": webhook.state,
        "sequence": webhook.number,
        "attempts": webhook.attempts,
        "failing_since": webhook.failing_since,
        "error": webhook.error,
        "created_at": webhook.created_at,
        "updated_at": webhook.updated_at,
    }


ROUTES: Final = (
    Route(
        "GET", f"{_PATH}/dead-letters", dead_letters, "push:read", summary="List webhooks that were given up",
        answer=shapes.DeadLetters, tag=_TAG, query=DeadLetterPage,
    ),
    Route(
        "POST", f"{_PATH}/dead-letters/{{id}}/retry", retry, "push:write",
        summary="Deliver to a webhook that was given up", answer=shapes.DeadLetter, tag=_TAG, errors=(404, 409),
    ),
    Route(
        "GET", f"{_PATH}/signing-key", signing_key, "push:read", summary="What webhooks' signatures are verified with",
        answer=shapes.SigningKey, tag=_TAG,
    ),
)  # fmt: skip
