"""Saying something to an agent once, whatever becomes of the connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final, TypeAlias

from attrs import define, field

from codetether_adapters.a2a_wire.dialect import Happening
from codetether_adapters.a2a_wire.values import Configuration, Message, SendMessage, Task
from codetether_adapters.peers.asking import Asking
from codetether_adapters.peers.failures import Lost, NotTaken, Refused

__all__ = ["UNSUPPORTED", "FindOut", "Saying", "Trying"]

UNSUPPORTED: Final = frozenset({-32601, -32004})
"""What an agent answers that has no such method, or does not stream."""

FindOut: TypeAlias = Callable[[Refused | None], Awaitable[Task | None]]
"""What has come of a message that was lost, or refused: ``None`` if it may be sent again."""

Trying: TypeAlias = Callable[[bool], Awaitable[None]]
"""The message is sent now, and may be heard; or it is sure that nobody has heard it."""


@define(eq=False)
class Saying:
    """``streams`` is whether the agent tells what happens, as far as is known by now."""

    asking: Asking
    streams: bool = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.streams = self.asking.calls.peer.streams

    async def say(
        self, message: Message, find_out: FindOut, trying: Trying | None = None
    ) -> AsyncGenerator[Happening, None]:
        """What the agent tells when it has heard the message. What fails after its first word is raised; an error that
        it tells then is about the stream, which is ``Lost``: how the task stands is for the task to say.
        """
        heard = doubtful = False
        while True:
            if trying is not None and not doubtful:
                await trying(True)
            try:
                async with aclosing(self._said(message)) as source:
                    async for happening in source:
                        heard = True
                        yield happening
                return
            except NotTaken:
                if heard:
                    raise
                if trying is not None and not doubtful:
                    await trying(False)
                await self.asking.pauses.rest()
            except Lost:
                if heard:
                    raise
                doubtful = True
                await self.asking.pauses.rest()
                if (task := await find_out(None)) is not None:
                    yield task
                    return
            except Refused as refusal:
                if heard and refusal.code:
                    raise Lost(f"it broke off: {refusal}") from None
                if heard:
                    raise
                if self.streams and refusal.code in UNSUPPORTED:
                    self.streams = False
                elif (task := await find_out(refusal)) is not None:
                    yield task
                    return

    async def _said(self, message: Message) -> AsyncGenerator[Happening, None]:
        calls = self.asking.calls
        configuration = Configuration(return_immediately=not self.streams)
        told = calls.dialect.dump(SendMessage(message=message, configuration=configuration))
        if self.streams:
            async with aclosing(calls.stream("stream", told, key=message.message_id)) as source:
                async for happening in source:
                    yield happening
            return
        answer = await calls.call("send", told, calls.heard, key=message.message_id)
        if answer is None:
            raise Refused(0, "it answers a message with what is no task and no message")
        yield answer
