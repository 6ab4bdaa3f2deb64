"""Streams as server-sent events, in either binding."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from codetether_adapters import sse
from codetether_adapters.a2a.errors import INTERNAL_ERROR, Refused, refusal_of
from codetether_adapters.a2a.following import Frames
from codetether_core.errors import CodeTetherError

__all__ = ["events"]

_ALIVE: Final = sse.comment("ping")


async def events(
    frames: Frames, wrap: Callable[[bytes], bytes], refuse: Callable[[Refused], bytes]
) -> AsyncGenerator[bytes, None]:
    """The frames' events, wrapped; what goes wrong on the way is told as an event of its own, which is the last."""
    try:
        async with aclosing(frames) as source:
            async for frame in source:
                yield _ALIVE if frame is None else sse.json_frame(wrap(frame.body), id=frame.place)
    except CodeTetherError as error:
        yield sse.json_frame(refuse(_told(error)), event="error")


def _told(error: CodeTetherError) -> Refused:
    """There is no other way to answer any more."""
    try:
        return refusal_of(error)
    except CodeTetherError:
        return Refused(INTERNAL_ERROR, f"{error.message}; {error.hint}" if error.hint else error.message)
