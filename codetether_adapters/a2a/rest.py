"""HTTP+JSON: release 1.0 by methods and paths.

Parameters come from the path, the query and the body; an answer is the bare result, a refusal a ``google.rpc.Status``
with the status of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.errors import Refused, refusal_of, rest_error
from codetether_adapters.a2a.jsonrpc import EXTENSIONS
from codetether_adapters.a2a.methods import Operation
from codetether_adapters.a2a.operations import ANSWERED, STREAMED
from codetether_adapters.a2a.request import A2A_JSON, JSON, Answer, Request, Stream
from codetether_adapters.a2a.streams import events
from codetether_adapters.a2a.versions import require_1_0_if_any
from codetether_adapters.a2a_wire.dialect import camel
from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.v1 import V1
from codetether_core.errors import CodeTetherError, Invalid

__all__ = ["CALLS", "Call", "params_of", "refused", "respond"]

_SWITCH: Final = ("includeArtifacts", "include_artifacts")


@frozen
class Call:
    """What a method on a path asks for; ``named`` are the parameters that the path has, by its own names for them."""

    method: str
    path: str
    operation: Operation
    named: Mapping[str, str] = {}
    body: bool = False


_ID: Final = {"id": "id"}
_OF_TASK: Final = {"id": "taskId"}
_WEBHOOK: Final = {"id": "taskId", "config_id": "id"}
_WEBHOOKS: Final = "/tasks/{id}/pushNotificationConfigs"

CALLS: Final = (
    Call("POST", "/message:send", Operation.SEND, body=True),
    Call("POST", "/message:stream", Operation.STREAM, body=True),
    Call("GET", "/tasks", Operation.LIST),
    Call("GET", "/tasks/{id}", Operation.GET, _ID),
    Call("POST", "/tasks/{id}:cancel", Operation.CANCEL, _ID, body=True),
    Call("GET", "/tasks/{id}:subscribe", Operation.SUBSCRIBE, _ID),
    Call("POST", "/tasks/{id}:subscribe", Operation.SUBSCRIBE, _ID, body=True),
    Call("POST", _WEBHOOKS, Operation.PUSH_CREATE, _OF_TASK, body=True),
    Call("GET", _WEBHOOKS, Operation.PUSH_LIST, _OF_TASK),
    Call("GET", f"{_WEBHOOKS}/{{config_id}}", Operation.PUSH_GET, _WEBHOOK),
    Call("DELETE", f"{_WEBHOOKS}/{{config_id}}", Operation.PUSH_DELETE, _WEBHOOK),
    Call("GET", "/extendedAgentCard", Operation.CARD),
)
"""All of them, below wherever the binding is."""


def params_of(call: Call, path: Mapping[str, str], query: Mapping[str, str], body: Any) -> dict[str, Any]:
    """The parameters; what the path says counts, whatever else is said."""
    if body is not None and not isinstance(body, Mapping):
        raise Invalid("", "the body must be a JSON object")
    told: dict[str, Any] = {name: value == "true" if name in _SWITCH else value for name, value in query.items()}
    named = {member: path[name] for name, member in call.named.items()}
    told = {name: value for name, value in (told | dict(body or {})).items() if camel(name) not in named}
    return told | named


async def respond(agent: Agent, request: Request, operation: Operation, params: Any) -> Answer | Stream:
    """The answer to a call. Errors that are not the call's are raised."""
    try:
        require_1_0_if_any(request.version)
        await agent.admit(request, operation)
        known = tuple(sorted(request.extensions & EXTENSIONS))
        if operation.streams:
            frames = await STREAMED[operation](agent, request, V1, params)
            return Stream(frames=events(frames, bytes, _event_of), extensions=known)
        result = await ANSWERED[operation](agent, request, V1, params)
        return Answer(body=encode(result), media_type=_media_type(request), extensions=known)
    except CodeTetherError as error:
        return refused(refusal_of(error))


def refused(refusal: Refused, status: int | None = None) -> Answer:
    """The answer that says what is wrong, which is plain JSON whatever the client reads."""
    status = status or refusal.kind.status
    return Answer(body=encode(rest_error(refusal, status)), status=status, media_type=JSON, failed=True)


def _event_of(refusal: Refused) -> bytes:
    return encode(rest_error(refusal, refusal.kind.status))


def _media_type(request: Request) -> str:
    """The protocol's own, unless the client asks for plain JSON."""
    return JSON if JSON in request.accept else A2A_JSON
