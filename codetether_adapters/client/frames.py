"""Event streams: bytes to parsed frames, one connection at a time."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import orjson
from attrs import define, frozen

from codetether_adapters.client.errors import BadAnswer
from codetether_adapters.client.requests import Request
from codetether_adapters.client.transport import Transport
from codetether_adapters.sse import Decoder, EventTooLarge

__all__ = ["Frame", "Reader", "streaming"]


@frozen
class Frame:
    """One event: its name, its JSON object, the cursor after it, and the JSON text that it came as, if it did."""

    name: str
    data: Mapping[str, Any]
    id: str
    raw: str


@define
class Reader:
    """Reads a stream over as many connections as it takes; ``last`` is the cursor from which the next should go on.

    Frames whose data are JSON but no object are nobody's and left out. What is broken, or nested too deeply, has its
    text as ``output``. ``heard`` is called at every sign of life.
    """

    last: str = ""
    retry: float = 0.0
    chunks: int = 0
    heard: Callable[[], None] = lambda: None

    async def frames(self, transport: Transport, request: Request[Any]) -> AsyncGenerator[Frame]:
        """The frames of one connection; it ends when the server ends it and raises when it is cut."""
        decoder = Decoder(last_event_id=self.last)
        async with transport.open(request) as chunks:
            async for chunk in chunks:
                self.chunks += 1
                self.heard()
                try:
                    events = decoder.feed(chunk)
                except EventTooLarge as error:
                    raise BadAnswer(str(error), path=request.path) from None
                self.retry = (decoder.retry or 0) / 1000
                for event in events:
                    self.last = event.id
                    data, raw = _read(event.data)
                    if isinstance(data, dict):
                        yield Frame(event.event, data, event.id, raw)
                self.last = decoder.last_event_id


def streaming(path: str, last: str = "", **headers: str | None) -> Request[None]:
    """The request of a stream, to go on after ``last``. Underscores in the headers' names stand for hyphens."""
    return Request(
        method="GET",
        path=path,
        read=lambda data: None,
        headers={
            "accept": "text/event-stream",
            "last-event-id": last or None,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def _read(text: str) -> tuple[Any, str]:
    """What the JSON text means, and the text itself; of what cannot be read, the text as output."""
    try:
        return orjson.loads(text), text
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text), text  # which takes what agents print besides: NaN, half surrogate pairs
    except RecursionError:
        return {"output": text}, text
    except ValueError:
        return {"output": text}, ""
