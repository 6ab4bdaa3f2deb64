"""What a client posts to an endpoint of the protocol, as far as it is looked at before the protocol's library is."""

from __future__ import annotations

from typing import Any

from codetether_adapters.http import Call, Encoded
from codetether_adapters.http.bodies import require_depth
from codetether_adapters.mcp.envelope import UNREADABLE, message_in, refusal_of
from codetether_core.errors import Invalid

__all__ = ["message_of"]


async def message_of(call: Call) -> tuple[Any, bytes, Encoded | None]:
    """The message and its bytes, and the answer to what is none."""
    body = await call.read()
    try:
        message = message_in(body)
    except ValueError:
        return None, body, Encoded(UNREADABLE, 400)
    try:
        require_depth(message, body, call.limits.depth)
    except Invalid as error:
        return message, body, Encoded(refusal_of(message, error.message), 400)
    return message, body, None
