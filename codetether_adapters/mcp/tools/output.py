"""Reading what a run printed, in bounded pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from codetether_adapters.mcp.arguments import argument
from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.paging import cursor_of, place_in
from codetether_adapters.mcp.printed import printed
from codetether_adapters.mcp.results import Output
from codetether_adapters.mcp.tool import LOOKS, Link, Tool
from codetether_adapters.mcp.uris import output_uri
from codetether_core.errors import Invalid
from codetether_core.tasks import Task

__all__ = ["GET_TASK_OUTPUT", "read_on", "read_tail"]

_STEP: Final = 200
"""Pieces of output that are read at once."""

_PAGE: Final = 256 * 1024
"""Bytes of them."""

_BACK: Final = 25
"""Pieces that are read at once from the end, where it is not known beforehand how long they are."""

_LOOKED_AT: Final = 20_000
"""Pieces that are passed over for one answer where they say nothing."""


@frozen(kw_only=True)
class GetTaskOutput:
    task_id: str = argument("The task's id.", shortest=1, longest=200)
    cursor: str | None = argument("next_cursor of what was read before; from the beginning without.", None, longest=200)
    tail: bool = argument("Read the end instead.", False)
    max_chars: int = argument("How much text at most.", 20_000, least=1, most=40_000)


async def read(hub: Hub, exchange: Exchange, asked: GetTaskOutput) -> Output:
    """From the cursor on, or the end."""
    task = await hub.task(exchange, asked.task_id)
    if asked.tail:
        if asked.cursor is not None:
            raise Invalid("cursor", "cannot be given together with tail", hint="leave one of them out")
        return await read_tail(hub, task, asked.max_chars)
    return await read_on(hub, task, asked.max_chars, asked.cursor)


async def read_on(hub: Hub, task: Task, most: int, cursor: str | None = None) -> Output:
    """Up to ``most`` characters from a piece, and a character in it, on."""
    piece, skipped = _place(cursor)
    begun, texts, room = piece, list[str](), most
    total = await hub.services.task_logs.count(task)
    while room and piece < total and piece - begun < _LOOKED_AT:
        records = await hub.services.task_logs.output(task, offset=piece, limit=_STEP, size=_PAGE)
        for record in records:
            text = printed(record)[skipped:]
            texts.append(text[:room])
            if len(text) > room:
                skipped, room = skipped + room, 0
                break
            piece, skipped, room = piece + 1, 0, room - len(text)
            if not room:
                break
        if not records:
            break
    more = piece < total
    return Output(
        task_id=task.id,
        text="".join(texts),
        truncated=more,
        next_cursor=cursor_of([piece, skipped]) if more or not task.ended else None,
        done=task.ended and not more,
    )


async def read_tail(hub: Hub, task: Task, most: int) -> Output:
    """The last ``most`` characters."""
    total = await hub.services.task_logs.count(task)
    start, text, back = total, "", _BACK
    while start and len(text) <= most and total - start < _LOOKED_AT:
        step, back = min(back, start), 2 * back  # what is filed is read from its beginning each time
        records = await hub.services.task_logs.output(task, offset=start - step, limit=step, size=2**62)
        start -= step
        text = "".join(map(printed, records))[-most - 1 :] + text
    return Output(
        task_id=task.id,
        text=text[-most:],
        truncated=start > 0 or len(text) > most,
        next_cursor=None if task.ended else cursor_of([total, 0]),
        done=task.ended,
    )


def _place(cursor: str | None) -> tuple[int, int]:
    match place_in(cursor):
        case None:
            return 0, 0
        case [int() as piece, int() as skipped] if 0 <= piece < 2**53 and 0 <= skipped < 2**53:
            return piece, skipped
    raise Invalid("cursor", "is not one that this server gave", hint="leave it out to begin at the beginning")


def _link(result: Output) -> Sequence[Link]:
    if not result.truncated:
        return ()
    return [Link(output_uri(result.task_id), "output", "The end of what it has printed.", "text/plain")]


GET_TASK_OUTPUT: Final = Tool(
    name="get_task_output",
    title="Read a task's output",
    description=(
        "Read what a task's agent has printed, from the beginning or with tail the end, in bounded pieces. With"
        " next_cursor you read on, also while it still runs; done tells that nothing more will come."
    ),
    permission="tasks:read",
    arguments=GetTaskOutput,
    result=Output,
    hints=LOOKS,
    run=read,
    links=_link,
)
