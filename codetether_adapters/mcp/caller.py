"""Who calls, and what surrounds a call: what a tool may say while it works, and when nobody waits any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

from attrs import define, field, frozen

from codetether_core.access import Principal
from codetether_core.audit import Actor
from codetether_core.ids import TaskId
from codetether_core.tasks import Word

__all__ = ["Caller", "Exchange", "Held", "Progress", "Standing"]

Progress: TypeAlias = Callable[[float, str], Awaitable[None]]
"""Tells how far it has come, in a number that only grows, and in words."""

Standing: TypeAlias = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""Within the context what was given is called once we leave, or once what the caller showed no longer counts."""


async def _untold(done: float, words: str) -> None:
    """Nobody wants to know."""


def _stands(fall: Callable[[], None]) -> AbstractContextManager[None]:
    return nullcontext()


@frozen
class Held:
    """The task that the caller runs, how it presents itself as its holder, and who the trail says that it is."""

    task: TaskId
    word: Word
    actor: Actor


@define(eq=False)
class Caller:
    """Whose request it is; a run ``holds`` its task.

    ``failed`` is noted for the trail: nothing was done, as the answer says in its own words.
    """

    principal: Principal
    standing: Standing = _stands
    holds: Held | None = None
    failed: bool = False


@frozen(eq=False)
class Exchange:
    """One request. ``protocol`` is the revision that is spoken, ``capabilities`` are what the client said it can do.

    ``answers`` are the client's to what an earlier answer to the same request asked, and ``state`` is what that one
    gave it to keep. ``native`` is the request as the protocol's library has it.
    """

    caller: Caller
    protocol: str = ""
    capabilities: Mapping[str, Any] = field(factory=dict)
    progress: Progress = _untold
    wants_progress: bool = False
    answers: Mapping[str, Any] | None = None
    state: str | None = None
    native: Any = None

    @property
    def principal(self) -> Principal:
        """Who calls."""
        return self.caller.principal
