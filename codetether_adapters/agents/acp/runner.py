"""The runner of agents that speak the Agent Client Protocol."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import anyio

from codetether_adapters.agents.acp.opening import Place
from codetether_adapters.agents.acp.template import AcpTemplate
from codetether_adapters.agents.failing import not_started, require_directory
from codetether_adapters.agents.process import GRACE, AgentLost, AgentNotStarted, ProcessesLeft, start_agent
from codetether_adapters.agents.variables import variables_of
from codetether_core.ids import CodebaseId, TaskId
from codetether_core.ports import Answer, Ask, Emit, Inquiry, Run, RunFailed, RunOutcome
from codetether_core.tasks import OutputChunk

if TYPE_CHECKING:
    from codetether_adapters.agents.acp.conversation import Conversation

__all__ = ["AcpRunner"]

T = TypeVar("T")

_POLITENESS: Final = timedelta(seconds=3)
_AFTERTHOUGHT: Final = timedelta(seconds=2)


def _nothing(_: Run) -> Sequence[int]:
    return ()


class AcpRunner:
    """Speaks with one kind of agent, in the codebase's directory; each run has a process of its own.

    ``environment`` is the worker's own, of which the agent sees what the template lets through; ``keep_open`` gives
    the descriptors that must stay open until a run's processes are gone. An agent that is cancelled has ``politeness``
    to stop by itself and then ``grace`` to end; one that has answered has ``afterthought`` to say what that took.
    """

    def __init__(
        self,
        template: AcpTemplate,
        environment: Mapping[str, str] | None = None,
        *,
        grace: timedelta = GRACE,
        politeness: timedelta = _POLITENESS,
        afterthought: timedelta = _AFTERTHOUGHT,
        keep_open: Callable[[Run], Sequence[int]] = _nothing,
    ) -> None:
        self._template = template
        self._worker_environment = os.environ if environment is None else environment
        self._grace = grace
        self._politeness = politeness
        self._afterthought = afterthought
        self._keep_open = keep_open

    async def run(self, run: Run, emit: Emit, ask: Ask) -> RunOutcome:
        """Result: what the agent said last. ``RunFailed`` with the reason, and the end of its standard error.

        The reason ``session_lost`` says of a run that succeeded that it could not go on with the session of the one
        before. What befell an agent that was at work already, its death or an internal error, is ``transient``:
        another attempt goes on with the session. A cancelled run whose processes cannot all be killed raises
        ``RunFailed`` (``processes_left``), too.
        """
        return await self._spoken_with(run, emit, ask, lambda conversation: conversation.hold())

    async def abilities(self, directory: str) -> frozenset[str]:
        """What the agent says that it can do, asked of a process that does nothing else; ``RunFailed``."""
        nothing = Run(task=TaskId(""), codebase=CodebaseId(""), prompt="", directory=directory)
        agent = await self._spoken_with(nothing, _unheard, _unasked, lambda conversation: conversation.meet())
        return agent.abilities

    async def _spoken_with(self, run: Run, emit: Emit, ask: Ask, talk: Callable[[Conversation], Awaitable[T]]) -> T:
        """What comes of talking with the agent, in a process that ends with it."""
        try:
            from codetether_adapters.agents.acp.conversation import Conversation
            from codetether_adapters.agents.acp.explaining import explained
        except ModuleNotFoundError as error:
            raise RunFailed(
                f"The worker lacks the package {error.name}, which agents that speak ACP need: "
                "pip install 'codetether-hub[agents]'",
                "acp_not_installed",
            ) from None
        directory = await require_directory(run)
        model = self._model(run)
        environment = {
            **self._template.environment(self._worker_environment),
            **variables_of(run),
            **({"CODETETHER_MODEL": model} if model else {}),
        }
        timeout = self._template.timeout
        try:
            with anyio.move_on_after(None if timeout is None else timeout.total_seconds()):
                async with start_agent(
                    self._template.arguments(model=model),
                    directory=directory,
                    environment=environment,
                    grace=self._grace,
                    keep_open=self._keep_open(run),
                ) as agent:
                    conversation = Conversation(
                        agent=agent,
                        template=self._template,
                        run=run,
                        place=Place(directory=directory, environment=environment, tools=run.tools),
                        emit=emit,
                        ask=ask,
                        politeness=self._politeness,
                        afterthought=self._afterthought,
                    )
                    return await explained(talk(conversation), conversation, self._grace)
        except AgentNotStarted as problem:
            raise not_started(self._template, problem) from problem
        except AgentLost as problem:
            raise RunFailed(f"Nobody knows how the run ended: {problem}", "agent_lost") from problem
        except ProcessesLeft as problem:
            raise RunFailed(f"The run left {problem}", "processes_left") from problem
        raise RunFailed(f"The run took more than {timeout}, the timeout of its agent", "run_timeout")

    def _model(self, run: Run) -> str | None:
        """The task's model, for the command line; ``RunFailed`` for one that could pose as something else."""
        if not run.model:
            return None
        if run.model.startswith("-") or "\0" in run.model:
            raise RunFailed(f"{run.model!r} is no name of a model", "invalid_model")
        return run.model.encode("utf-8", "replace").decode()


async def _unheard(_: OutputChunk) -> None:
    """Nobody is there."""


async def _unasked(inquiry: Inquiry) -> Answer:
    return Answer(question=inquiry.prompt)
