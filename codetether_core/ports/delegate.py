"""Having an agent elsewhere do a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import Factory, field, frozen

from codetether_core.agents import Peer
from codetether_core.approvals import ApprovalKind
from codetether_core.ids import AgentName, TaskId
from codetether_core.ports.runner import RunOutcome
from codetether_core.tasks import Delegation, OutputChunk

__all__ = ["Delegate", "Holder", "Order"]


@frozen(kw_only=True)
class Order:
    """What the ``agent`` is to do, where it is (``peer``), and the ``credential`` by which it knows us, if any.

    ``context`` is the conversation that the task belongs to. ``metadata`` goes with the message.
    """

    task: TaskId
    agent: AgentName
    peer: Peer
    prompt: str
    context: str
    metadata: Mapping[str, Any] = Factory(dict[str, Any])
    credential: str = field(default="", repr=False)


class Holder(Protocol):
    """Whoever holds the task here, and says what happens to it there."""

    @property
    def delegation(self) -> Delegation | None:
        """What was noted last, in an earlier life too."""
        ...

    async def note(self, delegation: Delegation) -> None:
        """Have it known to whoever holds the task next; it is once this returns."""
        ...

    async def emit(self, chunk: OutputChunk) -> None:
        """Output, as it comes; may wait, and so slow the reading."""
        ...

    async def attach(self, name: str, media_type: str, data: bytes) -> None:
        """Leave a file with the task."""
        ...

    async def ask(self, prompt: str, kind: ApprovalKind, id: str) -> str:
        """Ask people; their answer, in words. ``RunFailed`` if nobody answers in time.

        ``id`` is the question's: what was answered to an earlier holder, and not said, need not be asked again.
        """
        ...


class Delegate(Protocol):
    """Speaks a protocol of agents. Cancelling a call ends our part in it alone: the agent goes on with the task."""

    async def run(self, order: Order, holder: Holder) -> RunOutcome:
        """Give the task, or go on with what was given before, and tell what happens until it ends; else ``RunFailed``.

        It is given once: where it is not known whether the agent has taken it, that is found out, or the run fails.
        """
        ...

    async def cancel(self, order: Order, delegation: Delegation) -> bool:
        """Have the agent end what it does; whether it has. ``Unavailable`` if it cannot be asked now."""
        ...
