"""The parent of one agent: a small program of its own that knows every process the agent leaves, and ends them all.

    python supervisor.py CONTROL_FD GRACE_SECONDS COMMAND [ARGUMENT ...]

On Linux it is a *child subreaper*: a daemon that left its session and lost its parent becomes a child of this
process, so the tree cannot be escaped, and nobody's zombies reach the worker. It ends the tree when the agent exits,
when it is told to by SIGTERM, and when the worker's end of the control socket closes, which a killed worker does too.

It says on that socket, one JSON object a line: ``pid`` or ``errno`` of the start, ``exit`` of the agent (negative for
a signal) and ``survivors``, the pids that outlived SIGKILL.

This file is run as a script in the agent's environment: the standard library and psutil only.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence

import psutil

__all__ = ["RUN_ID", "end_processes", "processes_of_run"]

RUN_ID = "CODETETHER_RUN_ID"
"""The variable of a run's processes that names it: how they are found once nobody is their parent."""

_PR_SET_CHILD_SUBREAPER = 36
_KILL_SECONDS = 5.0  # for how long SIGKILL is repeated
_LOOK_AGAIN_SECONDS = 0.01
_EXIT_WAIT_SECONDS = 60.0


def end_processes(find: Callable[[], Iterable[psutil.Process]], grace: float) -> list[int]:
    """End all that ``find`` finds, again and again until it finds none: TERM, ``grace`` seconds, then KILL.

    Returns the pids of those that are left after five seconds of KILL, such as another user's.
    """
    left: set[psutil.Process] = set()
    termed: set[psutil.Process] = set()
    started = time.monotonic()
    # a dying process loses its marker before it closes its files, so what was found stays until it is dead
    while left := {*find(), *filter(_is_alive, left)}:
        waited = time.monotonic() - started
        if waited > grace + _KILL_SECONDS:
            return sorted(process.pid for process in left)
        if waited < grace:
            _signal(left - termed, signal.SIGTERM)
            termed |= left
        else:
            _signal(left, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_SECONDS)
    return []


def processes_of_run(run_id: str) -> list[psutil.Process]:
    """Every process of this machine that carries the run's marker; zombies and other users' have none to show."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(RUN_ID) == run_id:
                found.append(process)
    return found


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Signal their groups first: the kernel lets no fork slip between the members, which a walk over pids may miss."""
    groups = set()
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            groups.add(os.getpgid(process.pid))
    for group in groups - {os.getpgrp(), 0}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
    if number == signal.SIGKILL:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()


class Supervisor:
    """One agent and what it started."""

    def __init__(self, control: socket.socket, grace: float) -> None:
        self._control = control
        self._grace = grace
        self._agent: subprocess.Popen[bytes] | None = None  # kept: once forgotten, its finalizer would take the status
        self._exit: int | None = None
        self._woken, wake = socket.socketpair()
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._wake = wake  # stays open
        self._told_to_end = False
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def run(self, command: Sequence[str]) -> None:
        """Start the agent, wait for it or for the word to end it, end what is left, and say how each went."""
        try:
            self._agent = subprocess.Popen(command, start_new_session=True)
        except OSError as error:
            self._say(errno=error.errno or 0)
            return
        self._say(pid=self._agent.pid)
        _give_up_standard_streams()  # else nobody would ever see the end of the agent's output
        while self._exit is None and not self._told_to_end:
            readable, _, _ = select.select([self._control, self._woken], [], [], _EXIT_WAIT_SECONDS)
            if self._woken in readable:
                self._woken.recv(4096)
            if self._control in readable and not self._heard():
                self._told_to_end = True
            self._reap()
        survivors = end_processes(self._descendants, self._grace)
        self._reap()
        self._say(survivors=survivors)

    def _descendants(self) -> list[psutil.Process]:
        self._reap()
        return psutil.Process().children(recursive=True)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if self._agent and ended[0] == self._agent.pid:
                    self._exit = self._agent.returncode = os.waitstatus_to_exitcode(ended[1])
                    self._say(exit=self._exit)

    def _heard(self) -> bytes:
        try:
            return self._control.recv(4096)
        except OSError:
            return b""

    def _say(self, **words: object) -> None:
        with contextlib.suppress(OSError):  # a dead worker hears nothing; the tree is ended all the same
            self._control.sendall(json.dumps(words).encode() + b"\n")

    def _on_signal(self, *_: object) -> None:
        self._told_to_end = True


def _become_subreaper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _give_up_standard_streams() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def main(arguments: Sequence[str]) -> None:
    """Run as the docstring of this module says."""
    descriptor, grace, *command = arguments
    os.set_inheritable(int(descriptor), False)
    _become_subreaper()
    with socket.socket(fileno=int(descriptor)) as control:
        Supervisor(control, float(grace)).run(command)


if __name__ == "__main__":
    main(sys.argv[1:])
