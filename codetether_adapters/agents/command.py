"""The runner of command templates: any program that takes words and prints text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import anyio
from anyio.abc import ByteSendStream

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
from codetether_adapters.agents.templates import CommandTemplate
from codetether_adapters.agents.variables import variables_of
from codetether_core.ids import SessionId
from codetether_core.ports import Ask, Emit, Run, RunFailed, RunOutcome
from codetether_core.tasks import OutputChunk, session_of

__all__ = ["ERROR_BYTES", "RESULT_BYTES", "CommandRunner"]

RESULT_BYTES: Final = 64 * 1024
"""The most that a result keeps of standard output: its last bytes."""

ERROR_BYTES: Final = 4 * 1024
"""The most that an error keeps of standard error: its last bytes."""


class _Heard:
    """What is kept of what an agent printed: the ends of both streams, and the first session that its JSON names."""

    def __init__(self) -> None:
        self.stdout, self.stderr = Tail(RESULT_BYTES), Tail(ERROR_BYTES)
        self.session: SessionId | None = None

    def take(self, chunk: OutputChunk) -> None:
        (self.stdout if chunk.stream == "stdout" else self.stderr).add(chunk.text)
        if self.session is None:
            self.session = session_of(chunk)


def _nothing(_: Run) -> Sequence[int]:
    return ()


class CommandRunner:
    """Runs one template in the codebase's directory.

    ``environment`` is the worker's own, of which the agent sees what the template lets through; ``keep_open`` gives
    the descriptors that must stay open until a run's processes are gone, such as the lock of its checkout.
    """

    def __init__(
        self,
        template: CommandTemplate,
        environment: Mapping[str, str] | None = None,
        *,
        grace: timedelta = GRACE,
        keep_open: Callable[[Run], Sequence[int]] = _nothing,
    ) -> None:
        self._template = template
        self._worker_environment = os.environ if environment is None else environment
        self._grace = grace
        self._keep_open = keep_open

    async def run(self, run: Run, emit: Emit, ask: Ask) -> RunOutcome:
        """Result: the end of standard output. ``RunFailed`` with the end of standard error where it did not exit 0.

        The session is the one that the agent's JSON names, else the one that was resumed. A cancelled run whose
        processes cannot all be killed raises ``RunFailed`` (``processes_left``), too.
        """
        directory = await require_directory(run)
        prompt = (run.prompt or run.title).encode("utf-8", "replace")
        if b"\0" in prompt and self._template.prompt == "argument":
            raise RunFailed("The prompt holds a NUL character, which no argument can carry", "invalid_prompt")
        words = self._words(run)
        heard = _Heard()
        timeout = self._template.timeout
        status: int | None = None
        try:
            with anyio.move_on_after(None if timeout is None else timeout.total_seconds()):
                async with start_agent(
                    self._template.arguments(prompt.decode(), **words),
                    directory=directory,
                    environment={
                        **self._template.environment(self._worker_environment),
                        **variables_of(run),
                        **{f"CODETETHER_{name.upper()}": word for name, word in words.items()},
                    },
                    grace=self._grace,
                    keep_open=self._keep_open(run),
                ) as agent:
                    await self._converse(agent, prompt, emit, heard)
                    status = agent.exit_status
        except AgentNotStarted as problem:
            raise not_started(self._template, problem) from problem
        except AgentLost as problem:
            raise RunFailed(f"Nobody knows how the run ended: {problem}", "agent_lost") from problem
        except ProcessesLeft as problem:
            raise RunFailed(f"The run left {problem}", "processes_left") from problem
        if status is None:
            raise RunFailed(f"The run took more than {timeout}, the timeout of its agent", "run_timeout")
        if status != 0:
            raise RunFailed(heard.stderr.text().strip() or exit_text(status), "exit_status")
        return RunOutcome(result=heard.stdout.text().rstrip("\n"), session=heard.session or run.session)

    def _words(self, run: Run) -> dict[str, str]:
        """The task's model and session, if it has any; ``RunFailed`` where the template cannot take them."""
        name = self._template.name
        words: dict[str, str] = {}
        for member, word, place in (
            ("model", run.model, self._template.model),
            ("session", run.session, self._template.session),
        ):
            if not word:
                continue
            if place is None:
                raise RunFailed(
                    f"The agent {name!r} of this worker cannot be given a {member}, and the task has {word!r}; say how "
                    f'under [agents.{name}], such as {member} = ["--{member}", "{{{member}}}"]',
                    f"{member}_not_supported",
                )
            if word.startswith("-") or "\0" in word:
                raise RunFailed(f"{word!r} is no name of a {member}", f"invalid_{member}")
            words[member] = word.encode("utf-8", "replace").decode()
        return words

    async def _converse(self, agent: AgentProcess, prompt: bytes, emit: Emit, heard: _Heard) -> None:
        """Hand over the prompt and relay both streams until the agent's tree has ended and all it said is told."""

        async def tell(chunk: OutputChunk) -> None:
            heard.take(chunk)
            await emit(chunk)

        try:
            async with anyio.create_task_group() as talking:
                talking.start_soon(_say, agent.stdin, prompt if self._template.prompt == "stdin" else b"")
                async with anyio.create_task_group() as reading:
                    reading.start_soon(relay, agent.stdout, "stdout", tell)
                    reading.start_soon(relay, agent.stderr, "stderr", tell)
                    await agent.wait()
                    if not agent.over:  # what is left may hold the pipes open for ever
                        reading.cancel_scope.cancel()
                talking.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None


async def _say(stream: ByteSendStream, words: bytes) -> None:
    """Give the agent its prompt; one that does not read it to the end may."""
    try:
        if words:
            await stream.send(words)
        await stream.aclose()
    except (anyio.BrokenResourceError, anyio.ClosedResourceError, BrokenPipeError, ConnectionResetError):
        pass
