"""A server of ours, deployed workers beside it, and a client."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from attrs import define, field

from codetether_adapters.client import Client, Patience, TaskEvent, TaskHandle
from codetether_adapters.client.operations import Sync
from tests.deployed.gate import Gate
from tests.deployed.program import PATIENCE, Program

__all__ = ["TOKEN", "Site", "follow_until"]

TOKEN = "deployed-token:with-a-colon"
_OPENCODE = Path(__file__).parent / "opencode"
_DEMO = "demo"
_QUICK = {"A2A_ACTIVE_SESSION_SYNC_INTERVAL": "0.2"}


@define(eq=False)
class Site:
    """``directory`` holds everything; ``worker_program`` is the released one. Leases are short."""

    directory: Path
    worker_program: Path
    settings: dict[str, str] = field(factory=dict)
    programs: list[Program] = field(factory=list)
    gates: list[Gate] = field(factory=list)
    port: int = 0
    client: Client = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.checkout.mkdir()
        self.settings = {
            "CODETETHER_TOKENS": f"somebody:{TOKEN}:admin,fleet:fleet-token:worker",
            "CODETETHER_DATA_DIR": str(self.directory / "server"),
            "CODETETHER_LEASE_TTL": "3s",
            "CODETETHER_REAPER_INTERVAL": "200ms",
            **self.settings,
        }

    @property
    def checkout(self) -> Path:
        """The directory that every worker serves as ``demo``."""
        return self.directory / _DEMO

    def serve(self) -> Program:
        """Start the server; again at the same port, if it was there before."""
        environment = _environment(self.directory, CODETETHER_PORT=str(self.port), **self.settings)
        program = Program.start("server", [sys.executable, "-m", "codetether_apps.server"], environment)
        self.programs.append(program)
        said = json.loads(program.lines[program.until('"listening"') - 1])
        if not self.port:
            self.port = urlsplit(said["url"]).port or 0
            patience = Patience(attempts=40, longest=0.25)
            self.client = Client(f"http://127.0.0.1:{self.port}", token=TOKEN, patience=patience)
        return program

    def hire(
        self, name: str = "first", *, id: str = "", server: str = "", token: str = TOKEN, connected: bool = True
    ) -> Program:
        """Start a deployed worker; with ``connected`` its stream is open when this returns."""
        server = server or f"http://anybody:{token}@127.0.0.1:{self.port}"
        command = [
            str(self.worker_program),
            *("--server", server, "--name", name, "--worker-id", id or f"wrk-{name}"),
            *("--codebase", f"{_DEMO}:{self.checkout}", "--opencode", str(_OPENCODE)),
        ]
        program = Program.start(name, command, _environment(self.home(name)))
        self.programs.append(program)
        if connected:
            program.until("SSE connection confirmed")
        return program

    def home(self, name: str = "first") -> Path:
        """A worker's home directory."""
        home = self.directory / f"home-{name}"
        home.mkdir(exist_ok=True)
        return home

    def submit(self, script: str, *, agent: str = "build", codebase: str = _DEMO, **more: Any) -> TaskHandle[Sync]:
        """A task in the checkout. It ends in any case, so that who follows it never waits for ever."""
        soon = timedelta(seconds=PATIENCE)
        start_by = datetime.now(UTC) + soon
        return self.client.tasks.run(
            script, title="a task", agent=agent, codebase=codebase, timeout=soon, start_by=start_by, **more
        )

    def gate(self) -> Gate:
        """Where a script waits with ``read go < GATE``."""
        gate = Gate.at(self.directory / f"gate-{len(self.gates)}")
        self.gates.append(gate)
        return gate

    def api(self, method: str, path: str, **more: Any) -> Any:
        """The JSON answer to a request that our client has no method for."""
        answer = httpx.request(method, f"http://127.0.0.1:{self.port}{path}", auth=("anybody", TOKEN), **more)
        return answer.raise_for_status().json()

    def output(self, task: TaskHandle[Sync]) -> list[dict[str, Any]]:
        """Every piece of a task's output."""
        found: list[dict[str, Any]] = self.api("GET", f"/v1/agent/tasks/{task.id}/output?limit=10000")["outputs"]
        return found

    def close(self) -> None:
        """End everything."""
        for program in reversed(self.programs):
            program.close()
        for gate in self.gates:
            gate.close()
        if self.port:
            self.client.close()

    def said(self) -> str:
        """What every program said last, for a test that failed."""
        return "\n".join(f"--- {program.name}\n{program.said}" for program in self.programs)


def follow_until(events: Iterator[TaskEvent], text: str) -> TaskEvent:
    """Follow a task's events up to the one that has the text; ``AssertionError`` if it ends without."""
    seen: list[TaskEvent] = []
    for event in events:
        seen.append(event)
        if text in json.dumps(dict(event.data), default=str):
            return event
    raise AssertionError(f"{text!r} is not in\n" + "\n".join(map(str, seen)))


def _environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of what the tests' own environment may say about servers and tokens."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONUNBUFFERED": "1", **_QUICK, **more}
