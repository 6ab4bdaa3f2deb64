"""Running an agent on a worker's machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

from attrs import Factory, field, frozen

from codetether_core.access import ToolUse
from codetether_core.approvals import ApprovalKind, Option
from codetether_core.ids import CodebaseId, SessionId, TaskId
from codetether_core.tasks import OutputChunk

__all__ = ["Answer", "Ask", "Emit", "Inquiry", "Run", "RunFailed", "RunOutcome", "Runner", "ToolAccess"]


@frozen(kw_only=True)
class Answer:
    """What came of a question: the ``choice`` (an option's id) or free ``text``; neither if nobody answered in time."""

    question: str
    choice: str | None = None
    text: str | None = None


@frozen(kw_only=True)
class Inquiry:
    """What an agent wants to know while it works: one of the ``options``, or words if there are none.

    A permission may say for which use of a ``tool`` it is wanted: a policy judges that first, and nobody is asked
    where it has an answer.
    """

    prompt: str
    kind: ApprovalKind = ApprovalKind.QUESTION
    options: tuple[Option, ...] = ()
    tool: ToolUse | None = None


@frozen(kw_only=True)
class ToolAccess:
    """Where a run finds tools that it may use, over MCP; the ``token`` is shown there, and good for nothing else."""

    url: str
    token: str = field(repr=False)


@frozen(kw_only=True)
class Run:
    """What a runner is asked to do: the task's words, in ``directory`` (absolute; ``None`` without a codebase).

    ``session`` is one to go on with because the task says so, ``begun`` one in which an earlier attempt at it was made.
    ``answers`` are those to questions with which earlier runs of the task ended. The files that the agent puts into
    ``artifacts`` (absolute), under whatever names, are left with the task when the run ends. ``environment`` has the
    secrets that it needs, by variable. Without ``tools`` it has none but the agent's own.
    """

    task: TaskId
    codebase: CodebaseId
    prompt: str
    title: str = ""
    agent_type: str = "build"
    model: str | None = None
    directory: str | None = None
    artifacts: str | None = None
    session: SessionId | None = None
    begun: SessionId | None = None
    metadata: Mapping[str, Any] = Factory(dict[str, Any])
    answers: tuple[Answer, ...] = ()
    environment: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    tools: ToolAccess | None = None


@frozen(kw_only=True)
class RunOutcome:
    """How it went well: the result, the session that can be resumed, and a slug for programs if there is more to say.

    The reason ``answered`` says that the agent did nothing but answer: the result is all that there is.
    """

    result: str
    session: SessionId | None = None
    reason: str | None = None


class RunFailed(Exception):
    """How it went wrong: a sentence for people, and a slug for programs. ``said``: by the agent, which has ended.

    ``transient``: it may go well if it is tried again, which it is while the task has attempts left.
    """

    def __init__(
        self, error: str, reason: str = "agent_failed", *, said: bool = False, transient: bool = False
    ) -> None:
        super().__init__(error)
        self.error = error
        self.reason = reason
        self.said = said
        self.transient = transient


Emit: TypeAlias = Callable[[OutputChunk], Awaitable[None]]
"""Takes output as it comes; it may wait, and so slow the agent."""

Ask: TypeAlias = Callable[[Inquiry], Awaitable[Answer]]
"""Asks and waits for the answer, while the task goes on being held; several may be open at once.

The answer has neither choice nor text where the time was over and no option says no. ``DeniedByPolicy`` where the
policy says no and no option does; ``Invalid`` for what cannot be asked.
"""


class Runner(Protocol):
    """One kind of agent. Cancelling the call kills everything it started and returns only when that is gone."""

    async def run(self, run: Run, emit: Emit, ask: Ask) -> RunOutcome:
        """Do it, handing over output and asking what has to be asked; else ``RunFailed``."""
        ...
