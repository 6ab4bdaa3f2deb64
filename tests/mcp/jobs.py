"""Tasks of the conformance suite's: in memory, each a coroutine that sleeps, asks, fails or is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

from attrs import define, field

from codetether_adapters.mcp.served import INVALID_PARAMS, Refused

__all__ = ["Broken", "Job", "Jobs"]


def _now() -> str:
    return datetime.now(UTC).isoformat()


class Broken(Exception):
    """Something went wrong on the server's side."""


@define(eq=False)
class Job:
    """One of them."""

    id: str
    status: str = "working"
    created: str = field(factory=_now)
    asked: dict[str, Mapping[str, Any]] = field(factory=dict)
    answers: dict[str, Any] = field(factory=dict)
    outcome: Mapping[str, Any] = field(factory=dict)
    told: asyncio.Event = field(factory=asyncio.Event)
    running: asyncio.Task[None] | None = None

    def envelope(self, kind: str) -> dict[str, Any]:
        return {
            "resultType": kind,
            "taskId": self.id,
            "status": self.status,
            "createdAt": self.created,
            "lastUpdatedAt": _now(),
            "ttlMs": 60_000,
            "pollIntervalMs": 100,
        }

    async def ask(self, **requests: Mapping[str, Any]) -> None:
        """Until all of it is answered."""
        self.asked |= requests
        self.status = "input_required"
        while self.asked:
            self.told.clear()
            await self.told.wait()
        self.status = "working"

    async def run(self, work: Callable[[Job], Awaitable[Mapping[str, Any]]]) -> None:
        try:
            self.outcome = {"result": await work(self)}
            self.status = "completed"
        except Broken as error:
            self.outcome = {"error": {"code": -32603, "message": str(error)}}
            self.status = "failed"
        except asyncio.CancelledError:
            self.status, self.asked = "cancelled", {}


@define(eq=False)
class Jobs:
    """All of them."""

    _known: dict[str, Job] = field(factory=dict)
    _ids: Any = field(factory=count)

    def begin(self, work: Callable[[Job], Awaitable[Mapping[str, Any]]]) -> Mapping[str, Any]:
        job = Job(f"job-{next(self._ids)}")
        self._known[job.id] = job
        job.running = asyncio.create_task(job.run(work))
        return job.envelope("task")

    def find(self, id: str) -> Job:
        if id not in self._known:
            raise Refused(INVALID_PARAMS, "Unknown task")
        return self._known[id]

    def show(self, id: str) -> Mapping[str, Any]:
        job = self.find(id)
        shown = {**job.envelope("complete"), **job.outcome}
        return shown | ({"inputRequests": dict(job.asked)} if job.status == "input_required" else {})

    def answer(self, id: str, answers: Mapping[str, Any]) -> Mapping[str, Any]:
        job = self.find(id)
        for name in job.asked.keys() & answers.keys():
            del job.asked[name]
            job.answers[name] = answers[name]
        job.told.set()
        return {"resultType": "complete"}

    async def cancel(self, id: str) -> Mapping[str, Any]:
        job = self.find(id)
        if job.running is not None:
            job.running.cancel()
            await asyncio.wait({job.running})
        return {"resultType": "complete"}

    async def close(self) -> None:
        for id in self._known:
            await self.cancel(id)
