"""Agents as processes that leave nothing behind.

An agent runs below a *supervisor* (``supervisor.py``), one small process a run that adopts and ends all its
descendants. The worker holds the other end of the supervisor's control socket: leaving the context, being cancelled
and being killed close it alike. Afterwards every process that carries the run's marker is looked for once more,
which finds what is left where there are no subreapers (macOS), or if something killed the supervisor.

Out of reach: what another service starts for the agent (a container's daemon, ``systemd-run``), and processes that
run as another user.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

from codetether_adapters.agents import supervisor

__all__ = ["GRACE", "AgentLost", "AgentNotStarted", "AgentProcess", "ProcessesLeft", "start_agent"]

GRACE: Final = timedelta(seconds=5)
"""From SIGTERM to SIGKILL, unless told otherwise."""

_SUPERVISOR = str(Path(supervisor.__file__))
_PATIENCE: Final = 10.0  # seconds beyond the grace after which the supervisor itself is killed


class AgentNotStarted(Exception):
    """The system refused to start the command; ``errno`` says why."""

    def __init__(self, errno: int) -> None:
        super().__init__(os.strerror(errno))
        self.errno = errno


class AgentLost(Exception):
    """The supervisor was killed, so nobody knows how the agent ended."""


class ProcessesLeft(Exception):
    """Some processes of the run outlived SIGKILL: ``pids``."""

    def __init__(self, pids: Sequence[int]) -> None:
        super().__init__(f"processes that could not be killed: {', '.join(map(str, pids))}")
        self.pids = tuple(pids)


class AgentProcess:
    """An agent that was started. Its output ends when it and all that it left behind are gone."""

    def __init__(self, process: Process, control: socket.socket) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("the agent's streams must be pipes")
        self.stdin: ByteSendStream = process.stdin
        self.stdout: ByteReceiveStream = process.stdout
        self.stderr: ByteReceiveStream = process.stderr
        self.pid = 0
        self.survivors: tuple[int, ...] = ()
        self._control = control
        self._unread = bytearray()
        self._exit: int | None = None

    async def wait(self) -> None:
        """Wait until the agent and its whole tree have ended. One caller at a time."""
        while (words := await self._hear()) is not None:
            self._exit = words.get("exit", self._exit)
            self.survivors = tuple(words.get("survivors", self.survivors))

    @property
    def over(self) -> bool:
        """Whether the agent is known to have ended and to have left nothing."""
        return self._exit is not None and not self.survivors

    @property
    def exit_status(self) -> int:
        """How the agent ended, once ``wait`` has returned: negative for a signal. ``AgentLost``."""
        if self._exit is None:
            raise AgentLost("the agent's supervisor was killed")
        return self._exit

    async def _started(self) -> None:
        words = await self._hear()
        if words is None:
            raise AgentLost("the agent's supervisor ended before the agent began")
        if "errno" in words:
            raise AgentNotStarted(words["errno"])
        self.pid = words["pid"]

    async def _hear(self) -> dict[str, Any] | None:
        while b"\n" not in self._unread:
            await anyio.wait_readable(self._control)
            try:
                received = self._control.recv(4096)
            except BlockingIOError:
                continue
            except OSError:
                received = b""
            if not received:
                return None
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\n")
        words: dict[str, Any] = json.loads(line)
        return words


@asynccontextmanager
async def start_agent(
    command: Sequence[str],
    *,
    directory: str,
    environment: Mapping[str, str],
    grace: timedelta = GRACE,
    keep_open: Sequence[int] = (),
) -> AsyncIterator[AgentProcess]:
    """Run ``command`` in a session of its own; leaving the context, in whatever way, ends its whole tree first.

    The descriptors ``keep_open`` (a lock) are held, by the supervisor and not by the agent, until the tree is gone,
    even if this process is killed. Raises ``AgentNotStarted``; and on leaving, in place of anything else, even of
    a cancellation, ``ProcessesLeft`` if the tree has survivors.
    """
    run_id = secrets.token_hex(16)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    process: Process | None = None
    agent: AgentProcess | None = None
    left: Sequence[int] = ()
    try:
        with anyio.CancelScope(shield=True):  # a start that is cut in two would leave what nobody knows
            process = await anyio.open_process(
                [sys.executable, "-EP", _SUPERVISOR, str(theirs.fileno()), str(grace.total_seconds()), *command],
                stdin=subprocess.PIPE,
                cwd=directory,
                env={**environment, supervisor.RUN_ID: run_id},
                start_new_session=True,
                pass_fds=(theirs.fileno(), *keep_open),
            )
            theirs.close()  # else nobody would see the supervisor's end
            agent = AgentProcess(process, ours)
            await agent._started()
        if agent is not None:  # as it is; the scope's type does not know
            yield agent
    except OSError as problem:
        if process is not None:
            raise  # it came from whoever uses the agent
        raise AgentNotStarted(problem.errno or 0) from problem
    finally:
        with anyio.CancelScope(shield=True):
            if process is not None:
                await _end(process, agent, ours, grace)
            ours.close()
            theirs.close()
            find = partial(supervisor.processes_of_run, run_id)
            left = await anyio.to_thread.run_sync(supervisor.end_processes, find, 0.0)
        if survivors := {*left, *(agent.survivors if agent else ())}:
            raise ProcessesLeft(sorted(survivors))


async def _end(process: Process, agent: AgentProcess | None, control: socket.socket, grace: timedelta) -> None:
    """Let the supervisor end the tree, reading on meanwhile so that nobody is stuck with a last word."""
    with suppress(OSError):
        control.shutdown(socket.SHUT_WR)
    async with anyio.create_task_group() as reading:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                reading.start_soon(_discard, stream)
        with anyio.move_on_after(grace.total_seconds() + _PATIENCE):
            if agent is not None:
                await agent.wait()
            await process.wait()
        if process.returncode is None:
            process.kill()
        reading.cancel_scope.cancel()
    await process.aclose()


async def _discard(stream: ByteReceiveStream) -> None:
    with suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
        while True:
            await stream.receive()
