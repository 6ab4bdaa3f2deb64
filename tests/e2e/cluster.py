"""A server and workers on this machine, and a client."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field

from codetether_adapters.client import Client, ConnectionFailed, Patience, TaskHandle, TaskView
from codetether_adapters.client.operations import Sync
from codetether_core.tasks import TaskState
from tests.e2e.programs import ROOT, Program, start, until

__all__ = ["TOKEN", "Cluster"]

TOKEN = "e2e-token-of-everybody"


@define(eq=False)
class Cluster:
    """``directory`` holds everything. Leases are short, so that their ends can be waited for.

    ``tree`` has the modules that are run from now on.
    """

    directory: Path
    settings: dict[str, str] = field(factory=dict)
    server_module: str = "codetether_apps.server"
    programs: list[Program] = field(factory=list)
    tree: Path = ROOT
    client: Client = field(init=False)
    _port: socket.socket = field(factory=lambda: _held_port(), init=False)

    def __attrs_post_init__(self) -> None:
        self.client = Client(self.url, token=TOKEN, patience=Patience(attempts=1))
        (self.directory / "checkout").mkdir()
        (self.directory / "codetether.toml").write_text('[agents.sh]\ncommand = ["sh"]\nprompt = "stdin"\n')
        self.settings |= {
            "CODETETHER_CONFIG": str(self.directory / "codetether.toml"),
            "CODETETHER_PORT": str(self.port),
            "CODETETHER_SERVER": self.url,
            "CODETETHER_TOKENS": f"e2e:{TOKEN}:admin",
            "CODETETHER_TOKEN": TOKEN,
            "CODETETHER_LEASE_TTL": "3s",
            "CODETETHER_REAPER_INTERVAL": "200ms",
            "CODETETHER_POLL_INTERVAL": "500ms",
            "CODETETHER_LOG_LEVEL": "debug",
        }

    @property
    def port(self) -> int:
        """The server's, which nobody else is given meanwhile."""
        number: int = self._port.getsockname()[1]
        return number

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.port}"

    def server(self, **more: str) -> Program:
        """A server that is ready."""
        program = self._start(
            self.server_module.rpartition(".")[2],
            {"CODETETHER_DATA_DIR": str(self.directory / "server"), **more},
            "-m",
            self.server_module,
        )
        until(lambda: program.process.poll() is not None or _answers(self.client), "the server's readiness")
        assert program.process.poll() is None, program.said
        return program

    def worker(self, name: str = "first", *, program: str = "", **more: str) -> Program:
        """A worker that has registered, with a data directory of its own; ``program`` is in place of ours."""
        settings = {
            "CODETETHER_DATA_DIR": str(self.directory / name),
            "CODETETHER_WORKER_NAME": name,
            "CODETETHER_CODEBASES": f"code:{self.directory / 'checkout'}",
            **more,
        }
        command = ("-c", program) if program else ("-m", "codetether_apps.worker")
        started = self._start("worker", settings, *command)
        until(lambda: any(each.name == name for each in self.client.workers.list()), f"worker {name}'s registration")
        return started

    def submit(self, script: str, *, agent: str = "sh", **more: Any) -> TaskHandle[Sync]:
        """A task in the checkout: a shell script, for the agent ``sh``."""
        return self.client.tasks.run(script, codebase=self.client.codebases.list()[0].id, agent=agent, **more)

    def agent(self, name: str, script: str, **more: Sequence[str]) -> None:
        """One more agent for the workers that are started from now on: a shell script, and members of its template."""
        place = self.directory / f"{name}.sh"
        place.write_text(script)
        members = {"command": ["sh", str(place)], **more}
        with (self.directory / "codetether.toml").open("a") as config:
            config.write(f"[agents.{name}]\n")
            config.writelines(f"{key} = {json.dumps(value)}\n" for key, value in members.items())

    def fifo(self, name: str) -> Path:
        """A named pipe for a script to wait at."""
        path = self.directory / name
        os.mkfifo(path)
        return path

    def output(self, task: TaskHandle[Sync]) -> list[Mapping[str, Any]]:
        """Every piece of output that the server has, with its attempt and worker."""
        request = urllib.request.Request(
            f"{self.url}/v1/agent/tasks/{task.id}/output?limit=10000", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request) as answer:
            outputs: list[Mapping[str, Any]] = json.load(answer)["outputs"]
        return outputs

    def text(self, task: TaskHandle[Sync]) -> str:
        """All of the task's output."""
        return "".join(each["output"] for each in self.output(task))

    def until_state(self, task: TaskHandle[Sync], *states: TaskState) -> TaskView:
        """The task once it is in one of the states."""

        def reached() -> TaskView | None:
            try:
                view = task.refresh()
            except ConnectionFailed:
                return None
            return view if view.status in states else None

        view = until(reached, f"{task!r} becoming {' or '.join(states)}")
        assert view is not None
        return view

    def until_said(self, task: TaskHandle[Sync], text: str) -> None:
        """Wait until the task's output has the text."""
        until(lambda: text in self.text(task), f"output {text!r}")

    def codetether(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """The command, as somebody beside the server runs it."""
        return subprocess.run(
            [sys.executable, "-m", "codetether_apps.cli", *arguments],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", **self.settings, **settings},
            capture_output=True,
            text=True,
            timeout=90,
        )

    def close(self) -> None:
        """End everything."""
        self.client.close()
        for program in self.programs:
            if program.process.poll() is None:
                program.signal(signal.SIGKILL)
        for program in self.programs:
            program.wait()
        self._port.close()

    def said(self) -> str:
        """What every program said, for a test that failed."""
        return "\n".join(f"--- {program.log.name}\n{program.said[-6000:]}" for program in self.programs)

    def _start(self, name: str, settings: Mapping[str, str], *command: str) -> Program:
        log = self.directory / f"{len(self.programs)}-{name}.log"
        program = start(log, {**self.settings, **settings}, *command, tree=self.tree)
        self.programs.append(program)
        return program


def _answers(client: Client) -> bool:
    try:
        return bool(client.health()["ready"])
    except ConnectionFailed:
        return False


def _held_port() -> socket.socket:
    """A port that is bound and not listened on: a server that says so may share it, and the system gives it to none."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder
