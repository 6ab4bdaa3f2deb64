"""Exchanges with a server whose clock and dice are fixed: played from a script to record them, or from a record.

A step is a request, the opening of a stream, or the reading of events from one; what came back stands beside it. The
log's epoch, which is chance, is written as ``epoch``. A second passes before every request.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from attrs import define, field

from tests.http.resources.harness import Stream
from tests.http.resources.world import World, open_world

__all__ = ["Recorder", "Stage", "open_stage"]

EPOCH = "epoch"


@define(eq=False)
class Stage:
    """A new server, and the streams that are open at it."""

    world: World
    epoch: str
    _stack: AsyncExitStack
    _streams: dict[str, Stream] = field(factory=dict)

    async def perform(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """What comes back: a ``response``, or the ``events`` that a stream had, as many as ``count``."""
        if "request" not in step:
            return await self._read(step["stream"], step["count"])
        self.world.clock.advance(seconds=1)
        headers = {"Authorization": f"Bearer {step['as']}-token", "X-Request-ID": "example"}
        headers |= step["request"].get("headers", {})
        headers = {name: value.replace(EPOCH, self.epoch) for name, value in headers.items()}
        if "stream" in step:
            return await self._open(step["stream"], step["request"]["path"], headers)
        return await self._ask(step["request"], headers)

    async def _ask(self, request: Mapping[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        content = json.dumps(request["body"]) if "body" in request else None
        answer = await self.world.client.request(request["method"], request["path"], content=content, headers=headers)
        response: dict[str, Any] = {"status": answer.status_code, "type": answer.headers.get("content-type")}
        for name in ("www-authenticate", "allow", "retry-after"):
            if name in answer.headers:
                response[name] = answer.headers[name]
        return {"response": response | {"body": answer.json()}}

    async def _open(self, name: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        stream = self._streams[name] = Stream(self.world.app, path, headers)
        await stream.begin()
        self._stack.push_async_callback(stream.cut)
        return {"response": {"status": stream.status}}

    async def _read(self, name: str, count: int) -> dict[str, Any]:
        await self.world.services.dispatch.offer_ready()
        events = [await self._streams[name].event() for _ in range(count)]
        return {
            "events": [
                {"event": event.event, "id": event.id.replace(self.epoch, EPOCH), "data": json.loads(event.data)}
                for event in events
            ]
        }


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    async with open_world() as world, AsyncExitStack() as stack:
        yield Stage(world, (await world.services.backend.log.head()).epoch, stack)


@define(eq=False)
class Recorder:
    """Plays a script, and keeps what it plays."""

    stage: Stage
    steps: list[dict[str, Any]] = field(factory=list)

    async def ask(self, who: str, method: str, path: str, body: Any = None, /, **headers: str) -> Any:
        """The body of the answer. Underscores in the names of headers stand for hyphens."""
        request: dict[str, Any] = {"method": method, "path": path}
        if headers:
            request["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            request["body"] = body
        return (await self._step({"as": who, "request": request}))["response"]["body"]

    async def open(self, name: str, who: str, path: str, /, **headers: str) -> None:
        """Open a stream."""
        request: dict[str, Any] = {"method": "GET", "path": path}
        if headers:
            request["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
        await self._step({"as": who, "stream": name, "request": request})

    async def read(self, name: str, count: int = 1) -> Any:
        """The data of the last of the next ``count`` events of a stream."""
        return (await self._step({"stream": name, "count": count}))["events"][-1]["data"]

    async def _step(self, step: dict[str, Any]) -> dict[str, Any]:
        answer = await self.stage.perform(step)
        self.steps.append({**step, **answer})
        return answer
