"""A call of HTTP as a request of the protocol, and the answer back."""

from __future__ import annotations

from typing import Final, TypeAlias

from codetether_adapters.a2a.errors import CONTENT_TYPE_NOT_SUPPORTED, Refused
from codetether_adapters.a2a.methods import Operation
from codetether_adapters.a2a.request import Answer, Request, Stream
from codetether_adapters.a2a.versions import HEADER
from codetether_adapters.http import Call, Encoded, EventStream, Header
from codetether_core.errors import TooLarge

__all__ = ["ALWAYS", "SENDING", "WATCHING", "Reply", "body_of", "reply", "request_of"]

Reply: TypeAlias = Encoded | EventStream

_JSON: Final = "application/json"
_CLOSE: Final = (b"connection", b"close")
_MULTIPLEXED: Final = ("2", "3")
_KNOWN: Final = "A2A-Extensions"
_KNOWN_OLD: Final = "X-A2A-Extensions"

ALWAYS: Final = (
    Header(HEADER, "The protocol's release, `1.0`; as JSON-RPC, 0.3 if it is not there."),
    Header(_KNOWN, "URIs of the extensions that the client knows, commas between."),
)
SENDING: Final = Header(
    "Idempotency-Key", "The same key and message again make no other task and answer no other question."
)
WATCHING: Final = Header("Last-Event-ID", "The id of the last event that came, to go on behind it.")


def request_of(call: Call, *, titled: bool) -> Request:
    """What surrounds the call. ``titled``: its path does not tell what is asked, so the trail is told otherwise."""

    def note(operation: Operation) -> None:
        request = call.request
        request.permission = operation.permission
        if titled:
            request.route = request.subject = f"{request.path} {operation.title}"
        if operation.streams:  # before a message is handed over whose sender would be told that it was not
            call.may_stream()

    headers = call.headers
    known = ",".join(filter(None, (headers.get(_KNOWN), headers.get(_KNOWN_OLD))))
    return Request(
        principal=call.principal,
        attended=call.attended,
        note=note,
        version=(headers.get(HEADER) or call.pairs.get(HEADER, "")).strip(),
        extensions=frozenset(uri for each in known.split(",") if (uri := each.strip())),
        key=headers.get("idempotency-key") or "",
        last_event_id=call.last_event_id or "",
        accept=headers.get("accept") or "",
        base_url=call.base_url,
    )


async def body_of(call: Call) -> bytes:
    """The body, which is JSON; ``Refused`` if it is said to be anything else, whatever it is.

    Who is refused because it is too large has to begin a new connection.
    """
    kind = (call.headers.get("content-type") or _JSON).partition(";")[0].strip().lower()
    try:
        if kind == _JSON or kind.endswith("+json"):
            return await call.read()
        await call.read()  # or the connection would be good for nothing more
        raise Refused(CONTENT_TYPE_NOT_SUPPORTED, "The body must be JSON: Content-Type: application/json")
    except TooLarge:
        if call.scope.get("http_version") not in _MULTIPLEXED:
            call.request.with_answer.append(_CLOSE)
        raise


def reply(call: Call, answer: Answer | Stream) -> Reply:
    """The answer in HTTP."""
    request = call.request
    if answer.extensions:
        request.with_answer.append((_KNOWN.lower().encode(), ", ".join(answer.extensions).encode()))
    if isinstance(answer, Stream):
        return call.stream(answer.frames)
    request.failed = answer.failed
    return Encoded(answer.body, answer.status, media_type=answer.media_type.encode())
