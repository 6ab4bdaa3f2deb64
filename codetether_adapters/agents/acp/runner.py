"""The runner of agents that speak the Agent Client Protocol."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import anyio

from codetether_adapters.agents.acp.speaking import AgentGone, AgentRefused
from codetether_adapters.agents.acp.template import AcpTemplate
from codetether_adapters.agents.chunks import Tail
from codetether_adapters.agents.failing import exit_text, not_started, require_directory
from codetether_adapters.agents.process import (
    GRACE,
    AgentLost,
    AgentNotStarted,
    AgentProcess,
    ProcessesLeft,
    start_agent,
)
from codetether_adapters.agents.relaying import first_failure, relay
from codetether_core.ports import Ask, Emit, Run, RunFailed, RunOutcome
from codetether_core.tasks import OutputChunk

__all__ = ["AcpRunner"]

_ERROR_BYTES: Final = 4 * 1024
_AUTH_REQUIRED: Final = -32000
_INTERNAL: Final = -32603
_POLITENESS: Final = timedelta(seconds=3)
_AFTERTHOUGHT: Final = timedelta(seconds=2)
_LAST_WORDS: Final = 2.0  # seconds for the end of a process whose output has ended, and for what it said of the reason


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
        directory = await require_directory(run)
        model = self._model(run)
        environment = {
            **self._template.environment(self._worker_environment),
            **run.environment,
            "CODETETHER_TASK_ID": run.task,
            **({"CODETETHER_ARTIFACTS": run.artifacts} if run.artifacts else {}),
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
                    return await self._spoken_with(agent, run, directory, environment, emit, ask)
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

    async def _spoken_with(
        self, agent: AgentProcess, run: Run, directory: str, environment: Mapping[str, str], emit: Emit, ask: Ask
    ) -> RunOutcome:
        """What came of the conversation; its failures with what the agent said of them on standard error."""
        try:
            from codetether_adapters.agents.acp.conversation import Conversation
        except ModuleNotFoundError as error:
            raise RunFailed(
                f"The worker lacks the package {error.name}, which agents that speak ACP need: "
                "pip install 'codetether-hub[agents]'",
                "acp_not_installed",
            ) from None
        conversation = Conversation(
            agent=agent,
            template=self._template,
            run=run,
            directory=directory,
            environment=environment,
            emit=emit,
            ask=ask,
            politeness=self._politeness,
            afterthought=self._afterthought,
        )
        heard, silent = Tail(_ERROR_BYTES), anyio.Event()

        async def tell(chunk: OutputChunk) -> None:
            heard.add(chunk.text)
            await emit(chunk)

        async def listen() -> None:
            await relay(agent.stderr, "stderr", tell)
            silent.set()

        try:
            async with anyio.create_task_group() as beside:
                beside.start_soon(listen)
                try:
                    outcome = await conversation.hold()
                except AgentGone:
                    how = await self._end_of(agent, silent)
                    if conversation.lines.overlong:
                        raise RunFailed("The agent wrote a line without an end", "agent_line_too_long") from None
                    words = heard.text().strip() or how
                    raise RunFailed(words, "agent_died", transient=conversation.prompted) from None
                except AgentRefused as refusal:
                    reason = "agent_auth_required" if refusal.code == _AUTH_REQUIRED else "agent_error"
                    accident = conversation.prompted and refusal.code == _INTERNAL
                    raise RunFailed(f"The agent failed: {refusal.words}", reason, transient=accident) from None
                except RunFailed as failure:
                    if failure.reason == "agent_not_ready" and (said := heard.text().strip()):
                        raise RunFailed(f"{failure.error}; it said: {said}", failure.reason) from None
                    raise
                beside.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None
        return outcome

    async def _end_of(self, agent: AgentProcess, silent: anyio.Event) -> str:
        """How the process ended whose output has, once it has said all that it had to; ``AgentLost``."""
        with anyio.move_on_after(self._grace.total_seconds() + _LAST_WORDS):
            await agent.wait()
            await silent.wait()
            return exit_text(agent.exit_status)
        return "The agent closed its output"
