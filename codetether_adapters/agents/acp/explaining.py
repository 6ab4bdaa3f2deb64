"""Why a conversation failed, with what the agent said of it on standard error."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Final, TypeVar

import anyio

from codetether_adapters.agents.acp.conversation import Conversation
from codetether_adapters.agents.acp.opening import AUTH_REQUIRED
from codetether_adapters.agents.acp.speaking import AgentGone, AgentRefused
from codetether_adapters.agents.chunks import Tail
from codetether_adapters.agents.failing import exit_text
from codetether_adapters.agents.process import AgentProcess
from codetether_adapters.agents.relaying import first_failure, relay
from codetether_core.ports import RunFailed
from codetether_core.tasks import OutputChunk

__all__ = ["explained"]

T = TypeVar("T")

_ERROR_BYTES: Final = 4 * 1024
_INTERNAL: Final = -32603
_LAST_WORDS: Final = 2.0  # seconds for the end of a process whose output has ended, and for what it said of the reason


async def explained(talk: Awaitable[T], conversation: Conversation, grace: timedelta) -> T:
    """What comes of ``talk``, a part of the conversation, beside which standard error is told; else ``RunFailed``.

    What befell an agent that was at work already, its death or an internal error, is ``transient``. ``AgentLost``.
    """
    agent = conversation.agent
    heard, silent, came = Tail(_ERROR_BYTES), anyio.Event(), list[T]()

    async def tell(chunk: OutputChunk) -> None:
        heard.add(chunk.text)
        await conversation.emit(chunk)

    async def listen() -> None:
        await relay(agent.stderr, "stderr", tell)
        silent.set()

    try:
        async with anyio.create_task_group() as beside:
            beside.start_soon(listen)
            try:
                came.append(await talk)
            except AgentGone:
                how = await _end_of(agent, silent, grace)
                if conversation.lines.overlong:
                    raise RunFailed("The agent wrote a line without an end", "agent_line_too_long") from None
                words = heard.text().strip() or how
                raise RunFailed(words, "agent_died", transient=conversation.prompted) from None
            except AgentRefused as refusal:
                reason = "agent_auth_required" if refusal.code == AUTH_REQUIRED else "agent_error"
                accident = conversation.prompted and refusal.code == _INTERNAL
                raise RunFailed(f"The agent failed: {refusal.words}", reason, transient=accident) from None
            except RunFailed as failure:
                if failure.reason == "agent_not_ready" and (said := heard.text().strip()):
                    raise RunFailed(f"{failure.error}; it said: {said}", failure.reason) from None
                raise
            beside.cancel_scope.cancel()
    except BaseExceptionGroup as failures:
        raise first_failure(failures) from None
    return came[0]


async def _end_of(agent: AgentProcess, silent: anyio.Event, grace: timedelta) -> str:
    """How the process ended whose output has, once it has said all that it had to; ``AgentLost``."""
    with anyio.move_on_after(grace.total_seconds() + _LAST_WORDS):
        await agent.wait()
        await silent.wait()
        return exit_text(agent.exit_status)
    return "The agent closed its output"
