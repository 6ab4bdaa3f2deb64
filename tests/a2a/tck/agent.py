"""The agent that the kit expects: what it does, the beginning of a message's id says.

It is a worker of ours, so that everything goes the way that real work does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio
import httpx
from attrs import frozen

from codetether_adapters.a2a.artifacts import INLINE
from codetether_adapters.client import AgentRun
from codetether_core.ports import RunFailed, RunOutcome

__all__ = ["Agent"]

_TEXTS: Final[Mapping[str, str]] = {
    "tck-artifact-text": "Generated text content",
    "tck-stream-001": "Stream hello from TCK",
    "tck-stream-003": "Stream task lifecycle",
    "tck-stream-ordering-001": "Ordered output",
    "tck-stream-artifact-text": "Streamed text content",
}
"""What is printed."""

_BEYOND: Final = INLINE
"""The bytes of a file that is told by its address, being too large to be told itself."""

_LONG: Final = 4.0
"""Seconds: twice the time that the kit waits for something to be streamed."""


@frozen
class Agent:
    """``url`` is the server's. It ``asks`` for more where nothing else is said: the kit of release 0.3 wants that."""

    url: str
    asks: bool = False

    async def __call__(self, run: AgentRun) -> str | RunOutcome | None:
        """One task, through all messages about it."""
        name = run.task.metadata["a2a"]["message"]["messageId"]
        while True:
            if self._wants_more(name):
                await run.ask("Go on?")
                name = await self._last_message(run.task.id)
                continue
            return await _act(run, name)

    def _wants_more(self, name: str) -> bool:
        known = name.startswith(("tck-", "test-resubscribe-message-id"))
        return name.startswith("tck-input-required") or (self.asks and not known)

    async def _last_message(self, task: str) -> str:
        """The id of the last message about the task, by the protocol itself."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.url}/a2a/rest/tasks/{task}")
        told: Mapping[str, Any] = answer.json()
        return str(told["history"][-1]["messageId"])


async def _act(run: AgentRun, name: str) -> str | RunOutcome | None:
    for begin, act in _ACTS.items():
        if name.startswith(begin):
            return await act(run)
    text = next((text for begin, text in _TEXTS.items() if name.startswith(begin)), None)
    if text is not None:
        await run.emit(text)
        return None
    return "Hello from TCK"


async def _leave_file(run: AgentRun) -> None:
    await run.attach("output.txt", b"Generated file content", media_type="text/plain")


async def _leave_large_file(run: AgentRun) -> None:
    await run.attach("output.txt", b"x" * _BEYOND, media_type="text/plain")


async def _leave_data(run: AgentRun) -> None:
    await run.attach("output.json", b'{"key": "value", "count": 42}', media_type="application/json")


async def _print_twice(run: AgentRun) -> None:
    await run.emit("chunk-1 ")
    await run.emit("chunk-2")


async def _take_long(run: AgentRun) -> None:
    await anyio.sleep(_LONG)


async def _answer(run: AgentRun) -> RunOutcome:
    return RunOutcome(result="Direct message response", reason="answered")


async def _reject(run: AgentRun) -> None:
    raise RunFailed("rejected", "rejected")


_ACTS: Final[Mapping[str, Callable[[AgentRun], Awaitable[RunOutcome | None]]]] = {
    "tck-artifact-file-url": _leave_large_file,
    "tck-artifact-file": _leave_file,
    "tck-stream-artifact-file": _leave_file,
    "tck-artifact-data": _leave_data,
    "tck-stream-artifact-chunked": _print_twice,
    "test-resubscribe-message-id": _take_long,
    "tck-message-response": _answer,
    "tck-reject-task": _reject,
}
"""The longest first, where one begins with another."""
