"""Running an agent on a worker's machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from attrs import Factory, field, frozen

from codetether_core.ids import CodebaseId, SessionId, TaskId
from codetether_core.tasks import OutputChunk

__all__ = ["Answer", "Run", "RunFailed", "RunOutcome", "Runner"]


@frozen(kw_only=True)
class Answer:
    """What came of a question: the ``choice`` (an option's id) or free ``text``; neither if nobody answered in time."""

    question: str
    choice: str | None = None
    text: str | None = None


@frozen(kw_only=True)
class Run:
    """What a runner is asked to do: the task's words, in ``directory`` (absolute; ``None`` without a codebase).

    ``answers`` are those to questions with which earlier runs of the task ended. The files that the agent puts into
    ``artifacts`` (absolute), under whatever names, are left with the task when the run ends. ``environment`` has the
    secrets that it needs by variable, and where it finds tools.
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
    metadata: Mapping[str, Any] = Factory(dict[str, Any])
    answers: tuple[Answer, ...] = ()
    environment: Mapping[str, str] = field(factory=dict[str, str], repr=False)


@frozen(kw_only=True)
class RunOutcome:
    """How it went well: the result, the session that can be resumed, and a slug for programs if there is more to say.

    The reason ``answered`` says that the agent did nothing but answer: the result is all that there is.
    """

    result: str
    session: SessionId | None = None
    reason: str | None = None


class RunFailed(Exception):
    """How it went wrong: a sentence for people, and a slug for programs. ``said``: by the agent, which has ended."""

    def __init__(self, error: str, reason: str = "agent_failed", *, said: bool = False) -> None:
        super().__init__(error)
        self.error = error
        self.reason = reason
        self.said = said


class Runner(Protocol):
    """One kind of agent. Cancelling the call kills everything it started and returns only when that is gone."""

    async def run(self, run: Run, emit: Callable[[OutputChunk], Awaitable[None]]) -> RunOutcome:
        """Do it, handing over output as it comes (``emit`` may wait and so slow the agent); else ``RunFailed``."""
        ...
