"""JSON-RPC 2.0: both releases, told apart by the names of their methods.

What is refused is answered with status 200, since clients look no further at another one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from codetether_adapters import sse
from codetether_adapters.a2a import deployed, envelope
from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.envelope import NOBODY, Envelope
from codetether_adapters.a2a.errors import METHOD_NOT_FOUND, Refused, json_rpc_error, refusal_of
from codetether_adapters.a2a.hitl import HITL
from codetether_adapters.a2a.methods import METHODS, Method, Operation
from codetether_adapters.a2a.operations import ANSWERED, STREAMED
from codetether_adapters.a2a.operations.delivering import deliver
from codetether_adapters.a2a.records import SEQUENCE
from codetether_adapters.a2a.request import Answer, Request, Stream
from codetether_adapters.a2a.streams import events
from codetether_adapters.a2a.versions import require_1_0
from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.a2a_wire.values import SendMessage
from codetether_core.errors import CodeTetherError

__all__ = ["EXTENSIONS", "refused", "respond"]

EXTENSIONS: Final = frozenset({HITL, SEQUENCE})
"""Those that we know."""


async def respond(agent: Agent, request: Request, value: Any, require_fit: Callable[[], None]) -> Answer | Stream:
    """The answer to a body, which ``require_fit`` may refuse once it is known whose call it is.

    Errors that are not the call's are raised.
    """
    try:
        call = envelope.opened(value)
    except Refused as refusal:
        return refused(refusal, envelope.id_of(value))
    method = METHODS.get(call.method)
    try:
        if method is None:
            raise Refused(METHOD_NOT_FOUND, f"There is no method {call.method!r}")
        require_fit()
        if method.dialect is V1:
            require_1_0(request.version)
        await agent.admit(request, method.operation)
        return await _answer(agent, request, method, call)
    except CodeTetherError as error:
        return _refusal(refusal_of(error), call, method)


def refused(refusal: Refused, id: bytes = NOBODY, release: str = V1.name, status: int = 200) -> Answer:
    """The answer that says what is wrong."""
    return Answer(body=envelope.refused(id, json_rpc_error(refusal, release)), status=status, failed=True)


async def _answer(agent: Agent, request: Request, method: Method, call: Envelope) -> Answer | Stream:
    dialect, operation = method.dialect, method.operation
    known = tuple(sorted(request.extensions & EXTENSIONS))
    if call.id is None:
        await _notified(agent, request, method, call.params)
        return Answer(status=204)
    if operation.streams:
        frames = await STREAMED[operation](agent, request, dialect, call.params)
        wrap = partial(envelope.wrapped, call.id)
        return Stream(frames=events(frames, wrap, partial(_error, call.id, dialect.name)), extensions=known)
    if deployed.is_meant(method, call.params):
        result = await deployed.answer(agent, request, operation, call.params)
    else:
        result = await ANSWERED[operation](agent, request, dialect, call.params)
    return Answer(body=envelope.wrapped(call.id, encode(result)), extensions=known)


async def _notified(agent: Agent, request: Request, method: Method, params: Any) -> None:
    """Do it, for somebody who does not wait for an answer."""
    if method.operation in (Operation.SEND, Operation.STREAM):
        await deliver(agent, request, method.dialect.parse(SendMessage, params), method.dialect.name)
    elif method.operation in ANSWERED:
        await ANSWERED[method.operation](agent, request, method.dialect, params)


def _refusal(refusal: Refused, call: Envelope, method: Method | None) -> Answer | Stream:
    id = call.id or NOBODY
    release = method.dialect.name if method else V1.name
    if method is not None and method.operation.streams and method.dialect is not V1:
        return Answer(body=sse.json_frame(_error(id, release, refusal)), media_type="text/event-stream", failed=True)
    return refused(refusal, id, release)


def _error(id: bytes, release: str, refusal: Refused) -> bytes:
    return envelope.refused(id, json_rpc_error(refusal, release))
