"""What surrounds a call, and how it is answered: as much of a server as the binding has to know."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias

from attrs import field, frozen

from codetether_adapters.a2a.methods import Operation
from codetether_core.access import Principal

__all__ = ["A2A_JSON", "JSON", "Answer", "Attended", "Request", "Stream"]

Attended: TypeAlias = Callable[[Callable[[], None]], AbstractAsyncContextManager[None]]
"""Within the context, the function is called when nobody waits for the answer any more, or we leave."""

JSON: Final = "application/json"
A2A_JSON: Final = "application/a2a+json"


@frozen(kw_only=True)
class Request:
    """Who asks, and with what.

    ``version`` is what ``A2A-Version`` says, ``extensions`` are the URIs of those that the client knows, ``key`` its
    ``Idempotency-Key``, ``last_event_id`` where it was cut, and ``accept`` what it wants to read. ``base_url`` is our
    own address as the client has it. ``note`` is told what is asked, before it is done, and may refuse to have it done.
    """

    principal: Principal
    attended: Attended
    note: Callable[[Operation], None]
    version: str = ""
    extensions: frozenset[str] = frozenset()
    key: str = ""
    last_event_id: str = ""
    accept: str = ""
    base_url: str = ""


@frozen(kw_only=True)
class Answer:
    """An answer as a whole. ``failed``: it says that nothing was done. ``extensions`` are those that took part."""

    body: bytes = b""
    status: int = 200
    media_type: str = JSON
    failed: bool = False
    extensions: tuple[str, ...] = ()


@frozen(kw_only=True)
class Stream:
    """An answer that goes on: frames of server-sent events."""

    frames: AsyncGenerator[bytes, None] = field(eq=False)
    extensions: tuple[str, ...] = ()
