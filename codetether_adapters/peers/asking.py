"""What is asked of an agent about its tasks, and how long we wait before we ask again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

from attrs import define, field

from codetether_adapters.a2a_wire.values import CancelTask, GetTask, Task
from codetether_adapters.peers.calls import Calls
from codetether_adapters.peers.failures import Lost, NotTaken, Refused
from codetether_core.ports import Clock, Entropy

__all__ = ["Asking", "Pauses", "has_heard"]

T = TypeVar("T")

_FIRST: Final = timedelta(milliseconds=200)
_LONGEST: Final = timedelta(seconds=5)
_PAGES: Final = 10
_PAGE: Final = 100


@define(eq=False)
class Pauses:
    """Longer and longer ones, until there is news."""

    clock: Clock
    entropy: Entropy
    _number: int = field(default=0, init=False)

    async def rest(self) -> None:
        """The next one: half of it for sure."""
        ceiling = min(_LONGEST, _FIRST * (1 << min(self._number, 8)))
        self._number += 1
        await self.clock.sleep(ceiling * (0.5 + self.entropy.fraction() / 2))

    def begin_anew(self) -> None:
        """There is news: the next pause is a short one."""
        self._number = 0


@define(eq=False)
class Asking:
    """Questions that may be asked as often as one likes."""

    calls: Calls
    pauses: Pauses

    async def task(self, id: str, *, history: bool = False) -> Task:
        """It as it stands; ``Refused``, ``NotTaken``, ``Lost``. Of what was said before no more than one must take."""
        dialect = self.calls.dialect
        least = 0 if self.calls.lists else 1  # release 0.3 takes 0 for all
        told = dialect.dump(GetTask(id=id, history_length=None if history else least))
        return await self.calls.call("get", told, partial(self.calls.parsed, Task))

    async def cancel(self, id: str) -> Task:
        """It as it stands once the agent knows that nobody wants it any more; the same failures."""
        told = self.calls.dialect.dump(CancelTask(id=id))
        return await self.calls.call("cancel", told, partial(self.calls.parsed, Task))

    async def taken(self, message: str, context: str) -> Task | None:
        """The task that the agent has made of a message, as far as can be found out; waits until it answers."""
        token = ""
        for _ in range(_PAGES if self.calls.lists else 0):
            asked = {"contextId": context, "pageSize": _PAGE, "pageToken": token}
            try:
                tasks, token = await self.answer(partial(self.calls.call, "list", asked, self._page))
            except Refused:
                return None
            found = [each for each in tasks if has_heard(each, message)]
            if found or not token:
                return found[0] if found else None
        return None

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Its answer, however long it does not answer; ``Refused``."""
        while True:
            try:
                return await ask()
            except (NotTaken, Lost):
                await self.pauses.rest()

    def _page(self, told: Any) -> tuple[list[Task], str]:
        if not isinstance(told, dict) or not isinstance(told.get("tasks"), list):
            raise Refused(0, "it lists what are no tasks")
        return [self.calls.parsed(Task, each) for each in told["tasks"]], str(told.get("nextPageToken") or "")


def has_heard(task: Task, message: str) -> bool:
    """Whether a message is among what was said of the task."""
    return any(each.message_id == message for each in task.history or ())
