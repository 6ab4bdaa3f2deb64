"""An agent's standard streams as a transport of messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio

from codetether_adapters.agents.acp.messages import is_notification, line_of, message_of
from codetether_adapters.agents.process import AgentProcess
from codetether_adapters.agents.relaying import READ_BYTES

__all__ = ["LINE_BYTES", "Lines"]

LINE_BYTES: Final = 100 * 1024 * 1024
"""The longest line that is read: agents send whole files in one, and one that never ends would fill the memory."""


class Lines:
    """What ``acp`` sends and receives by, one object a line.

    Notifications go to ``hear``, each before the next line is looked at: so their order is that of the wire, and an
    agent that says more than can be told has to wait. What is no message goes to ``noise``.
    """

    def __init__(
        self,
        agent: AgentProcess,
        hear: Callable[[Mapping[str, Any]], Awaitable[None]],
        noise: Callable[[bytes], Awaitable[None]],
    ) -> None:
        self._agent = agent
        self._hear = hear
        self._noise = noise
        self._unread = bytearray()
        self._writing = anyio.Lock()
        self._unanswered = 0
        self._answered = anyio.Event()
        self.overlong = False

    async def send(self, message: Mapping[str, Any]) -> None:
        """Write one message; ``anyio``'s errors where the agent has closed its input."""
        async with self._writing:
            await self._agent.stdin.send(line_of(message))
        if "method" not in message:
            self._unanswered -= 1
            self._answered.set()

    async def all_answered(self) -> None:
        """Wait until nothing is unanswered that the agent requested."""
        while self._unanswered:
            self._answered = anyio.Event()
            await self._answered.wait()

    async def receive(self) -> dict[str, Any] | None:
        """The next request or answer; ``None`` when there will be none, or its line is too long."""
        while (line := await self._line()) is not None:
            message = message_of(line)
            if message is None:
                if line.strip():
                    await self._noise(line)
            elif is_notification(message):
                await self._hear(message)
            else:
                self._unanswered += "method" in message
                return message
        return None

    async def close(self) -> None:
        """Nothing: whoever started the agent ends it."""

    async def _line(self) -> bytes | None:
        searched = 0
        while (end := self._unread.find(b"\n", searched)) < 0:
            searched = len(self._unread)
            if searched > LINE_BYTES:
                self.overlong = True
                return None
            try:
                self._unread += await self._agent.stdout.receive(READ_BYTES)
            except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
                rest, self._unread = bytes(self._unread), bytearray()
                return rest or None
        line = bytes(self._unread[: end + 1])
        del self._unread[: end + 1]
        return line
