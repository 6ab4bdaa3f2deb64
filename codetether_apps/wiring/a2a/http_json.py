"""HTTP+JSON: a route for every operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from codetether_adapters.a2a import rest
from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.errors import Refused, refusal_of
from codetether_adapters.a2a.methods import Operation
from codetether_adapters.a2a.request import A2A_JSON, JSON
from codetether_adapters.http import Call, Header, Route
from codetether_adapters.http.bodies import read_json
from codetether_apps.wiring.a2a.calls import ALWAYS, SENDING, WATCHING, Reply, body_of, reply, request_of
from codetether_core.errors import Invalid, TooLarge

__all__ = ["REST", "rest_routes"]

REST: Final = "/a2a/rest"

_OBJECT: Final[Mapping[str, object]] = {"type": "object"}
_STATUS: Final[Mapping[str, object]] = {
    "type": "object",
    "description": "A google.rpc.Status: what is wrong, in the protocol's words.",
    "required": ["error"],
    "properties": {"error": {"type": "object", "required": ["code", "status", "message", "details"]}},
}


@frozen(kw_only=True)
class SendMessageBody:
    """A message, and how to answer it (``SendMessageRequest`` of the protocol)."""

    message: Mapping[str, Any]
    configuration: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class WebhookBody:
    """Where to tell of a task (``TaskPushNotificationConfig`` of the protocol)."""

    url: str
    id: str | None = None
    token: str | None = field(default=None, repr=False)
    authentication: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class Length:
    """How many messages of its history a task is shown with; all without it."""

    historyLength: int | None = None


@frozen(kw_only=True)
class Matching(Length):
    """Which tasks, and which page of them."""

    contextId: str | None = None
    status: str | None = None
    pageSize: int = 50
    pageToken: str = ""
    statusTimestampAfter: str | None = None
    includeArtifacts: bool = False


@frozen(kw_only=True)
class Paging:
    """Which page."""

    pageSize: int = 50
    pageToken: str = ""


_SUMMARIES: Final[Mapping[Operation, str]] = {
    Operation.SEND: "Send a message and wait for what comes of it (A2A)",
    Operation.STREAM: "Send a message and watch what comes of it (A2A)",
    Operation.GET: "Show a task (A2A)",
    Operation.LIST: "List tasks (A2A)",
    Operation.CANCEL: "Cancel a task (A2A)",
    Operation.SUBSCRIBE: "Watch a task (A2A)",
    Operation.PUSH_CREATE: "Keep a webhook of a task (A2A)",
    Operation.PUSH_GET: "Show a webhook of a task (A2A)",
    Operation.PUSH_LIST: "List the webhooks of a task (A2A)",
    Operation.PUSH_DELETE: "Forget a webhook of a task (A2A)",
    Operation.CARD: "Who we are, for those whom we know (A2A)",
}
_BODIES: Final[Mapping[Operation, type]] = {
    Operation.SEND: SendMessageBody,
    Operation.STREAM: SendMessageBody,
    Operation.PUSH_CREATE: WebhookBody,
}
_HEADERS: Final[Mapping[Operation, tuple[Header, ...]]] = {
    Operation.SEND: (SENDING,),
    Operation.STREAM: (SENDING, WATCHING),
    Operation.SUBSCRIBE: (WATCHING,),
}
_QUERIES: Final[Mapping[Operation, type]] = {
    Operation.GET: Length,
    Operation.LIST: Matching,
    Operation.PUSH_LIST: Paging,
}


def rest_routes(agent: Agent) -> tuple[Route, ...]:
    """All of them."""
    return tuple(_route(agent, asked) for asked in rest.CALLS)


def _route(agent: Agent, asked: rest.Call) -> Route:
    async def endpoint(call: Call) -> Reply:
        """As release 1.0 of the protocol has it."""
        request = request_of(call, titled=False)
        try:
            body = await _body(call, asked)
            params = rest.params_of(asked, call.path, call.pairs, body)
        except Refused as refusal:
            return reply(call, rest.refused(refusal, 415))
        except TooLarge as error:
            return reply(call, rest.refused(refusal_of(error), 413))
        except Invalid as error:
            return reply(call, rest.refused(refusal_of(error)))
        return reply(call, await rest.respond(agent, request, asked.operation, params))

    operation = asked.operation
    return Route(
        asked.method,
        f"{REST}{asked.path}",
        endpoint,
        operation.permission,
        summary=_SUMMARIES[operation],
        tag="a2a",
        headers=(*ALWAYS, *_HEADERS.get(operation, ())),
        body=_BODIES.get(operation),
        query=_QUERIES.get(operation),
        answer=None if operation.streams else _OBJECT,
        media_type=A2A_JSON,
        also_as=(JSON,),
        refusal=_STATUS,
        stream="a2a-http" if operation.streams else None,
        errors=(400, 404, 408, 413, 415) if asked.body else (400, 404),
    )


async def _body(call: Call, asked: rest.Call) -> Any:
    """The body, which only messages and webhooks need to have."""
    if not asked.body:
        return None
    try:
        return read_json(await body_of(call), call.limits.depth)
    except Invalid as error:
        if error.code == "body_missing" and asked.operation not in _BODIES:
            return None
        raise
