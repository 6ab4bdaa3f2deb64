"""Conversations with agents: readable when no worker is there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Final, Literal

from attrs import frozen

from codetether_adapters.mcp.arguments import argument
from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.clipping import LINE, clipped
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.paging import gather, offset_in
from codetether_adapters.mcp.results import MessageRow, Messages, SessionRow, Sessions
from codetether_adapters.mcp.tool import LOOKS, Tool
from codetether_core.ports import SessionQuery
from codetether_core.sessions import Session, SessionMessage

__all__ = ["GET_SESSION_MESSAGES", "LIST_SESSIONS", "transcript"]

_MESSAGE: Final = 4_000
_CALLS: Final = 20


@frozen(kw_only=True)
class ListSessions:
    codebase: str = argument("The codebase's id or unique name.", shortest=1, longest=500)
    query: str | None = argument("Only those with this in their title, whatever its case.", None, longest=200)
    limit: int = argument("How many at most.", 20, least=1, most=100)
    cursor: str | None = argument("next_cursor of the page before.", None, longest=200)


@frozen(kw_only=True)
class GetSessionMessages:
    session_id: str = argument("The session's id.", shortest=1, longest=500)
    codebase: str | None = argument("Its codebase, where several have a session of that id.", None, longest=500)
    roles: tuple[Literal["user", "assistant", "system", "tool"], ...] = argument("Only messages of these roles.", ())
    limit: int = argument("How many at most.", 20, least=1, most=100)
    cursor: str | None = argument("next_cursor of the page before, to read earlier messages.", None, longest=200)


async def find(hub: Hub, exchange: Exchange, asked: ListSessions) -> Sessions:
    """A page, the last updated first."""
    start, place = offset_in(asked.cursor), await hub.place(exchange, asked.codebase)
    query = SessionQuery(codebase=place, text=asked.query or "", limit=asked.limit + 1, after=start)
    found, _ = await hub.services.conversation.find(exchange.principal, query)

    async def rows() -> AsyncIterator[tuple[SessionRow, int]]:
        for at, session in enumerate(found, start + 1):
            yield _row(session), at

    items, following = await gather(rows(), asked.limit)
    return Sessions(items=items, next_cursor=following)


async def read(hub: Hub, exchange: Exchange, asked: GetSessionMessages) -> Messages:
    """A page of the last messages, or of those before a cursor."""
    skipped = offset_in(asked.cursor)
    session = await hub.session(exchange, asked.session_id, asked.codebase)
    items, following = await gather(_latest(hub, exchange, session, skipped, frozenset(asked.roles)), asked.limit)
    return Messages(session_id=session.id, codebase_id=session.codebase, items=items[::-1], next_cursor=following)


async def _latest(
    hub: Hub, exchange: Exchange, session: Session, skipped: int, roles: frozenset[str]
) -> AsyncGenerator[tuple[MessageRow, int], None]:
    """The messages, the latest first, each with how many are behind it."""
    conversation, whose = hub.services.conversation, (exchange.principal, session.codebase, session.id)
    _, total = await conversation.messages(*whose, limit=1)
    end = max(total - skipped, 0)
    while end:
        start = max(end - 100, 0)
        found, _ = await conversation.messages(*whose, limit=end - start, after=start)
        for at, message in reversed([*enumerate(found, start)]):
            if not roles or message.role in roles:
                yield _message(message), total - at
        end = start


async def transcript(hub: Hub, exchange: Exchange, session: Session, most: int) -> str:
    """The conversation's end as Markdown, up to so many characters."""
    turns: list[str] = []
    async with aclosing(_latest(hub, exchange, session, 0, frozenset())) as messages:
        async for message, _ in messages:
            turn = f"## {message.role}\n\n{message.text}\n\n"
            most -= len(turn)
            if turns and most < 0:
                break
            turns.append(turn)
    return "".join([f"# {session.title or session.id}\n\n", *reversed(turns)])


def _message(message: SessionMessage) -> MessageRow:
    """A message by its words."""
    parts = [part for part in message.parts if isinstance(part, Mapping)]
    texts = [part["text"] for part in parts if part.get("type") == "text" and isinstance(part.get("text"), str)]
    return MessageRow(
        role=message.role,
        text=clipped("\n".join(texts), _MESSAGE),
        at=message.created_at,
        tool_calls=tuple(filter(None, map(_tool, [*message.tool_calls, *parts][:_CALLS]))),
    )


def _tool(call: Any) -> str:
    if not isinstance(call, Mapping):
        return ""
    name = call.get("tool") or (call.get("name") if call.get("type") != "text" else None)
    return clipped(name, LINE) if isinstance(name, str) else ""


def _row(session: Session) -> SessionRow:
    return SessionRow(
        session_id=session.id,
        codebase_id=session.codebase,
        title=clipped(session.title),
        agent_type=session.agent,
        updated_at=session.updated_at,
    )


LIST_SESSIONS: Final = Tool(
    name="list_sessions",
    title="List sessions",
    description="List the conversations that agents had about a codebase, the last updated first.",
    permission="sessions:read",
    arguments=ListSessions,
    result=Sessions,
    hints=LOOKS,
    run=find,
)

GET_SESSION_MESSAGES: Final = Tool(
    name="get_session_messages",
    title="Read a session",
    description=(
        "Read the latest messages of a conversation with an agent, or with a cursor the ones before. To go on with it"
        " give its session_id to create_task."
    ),
    permission="sessions:read",
    arguments=GetSessionMessages,
    result=Messages,
    hints=LOOKS,
    run=read,
)
