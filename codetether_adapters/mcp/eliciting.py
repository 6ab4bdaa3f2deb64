"""A wait that puts what the task asks to the client's user, in as many round trips of one call as that takes.

Nothing is kept here between them: which questions were put is in the state that the client keeps for us, sealed, so
that any replica goes on with it. Each is put once in a call; one that the user leaves open is open for whoever answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.results import Waited
from codetether_adapters.mcp.task_words import answered, open_questions, requests_for
from codetether_adapters.mcp.tools.waiting import WaitTask, wait

__all__ = ["waited"]

_MOST: Final = 10
"""Questions after which no more are put in a call: clients give up after as many round trips, and each has one."""


async def waited(hub: Hub, exchange: Exchange, asked: WaitTask) -> Waited | Mapping[str, Any]:
    """What the wait ends with, or what the user is to fill in first: for a client that can ask, and may answer."""
    put = tuple((exchange.state or "").split())
    task = await hub.task(exchange, asked.task_id)
    if given := _given(exchange, put):
        await answered(hub, exchange, task, given)
    result = await wait(hub, exchange, asked)
    questions = await open_questions(hub, exchange, await hub.task(exchange, asked.task_id))
    fresh = [each for each in questions if each.id not in put]
    if fresh and len(put) < _MOST:
        return {
            "resultType": "input_required",
            "inputRequests": requests_for(fresh),
            "requestState": " ".join([*put, *(each.id for each in fresh)]),
        }
    return evolve(result, unanswered=tuple(each.id for each in questions if each.id in put))


def _given(exchange: Exchange, put: Sequence[str]) -> Mapping[str, Any]:
    """Answers to what was put: hosts decline by themselves what they show to nobody, so that alone is no answer."""
    answers = exchange.answers or {}
    return {id: answers[id] for id in put if id in answers and answers[id].get("action") == "accept"}
