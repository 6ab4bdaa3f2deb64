"""A process that is killed between the commit of a change and its answer leaves the record of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.installation import ADMIN, installation, lines, walked
from tests.e2e.engines import ENGINES, store_settings

pytestmark = pytest.mark.anyio

_PROGRAM = '''
import asyncio, json, os, signal, sys

from codetether_adapters.tokens import StaticToken
from codetether_apps.settings import read_settings
from codetether_apps.wiring.application import open_application

async def main() -> None:
    """Ask for a task, and die of the first word of the answer."""
    settings = read_settings(environment=json.loads(sys.argv[1]))
    async with open_application(settings, [StaticToken.of("alice", "alice-token", ["editor"])]) as opened:
        headers = [(b"authorization", b"Bearer alice-token"), (b"content-type", b"application/json")]
        scope = {
            "type": "http", "method": "POST", "path": "/v1/agent/tasks", "raw_path": b"/v1/agent/tasks",
            "query_string": b"", "root_path": "", "headers": headers, "client": ("192.0.2.7", 4711),
        }
        async def receive():
            return {"type": "http.request", "body": b'{"title": "t", "prompt": "p"}', "more_body": False}
        async def send(message):
            assert message["status"] == 200, message
            os.kill(os.getpid(), signal.SIGKILL)
        await opened.application(scope, receive, send)

asyncio.run(main())
'''


def die_answering(settings: dict[str, str]) -> None:
    """Run the program to its end."""
    command = [sys.executable, "-c", _PROGRAM, json.dumps(settings)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_record_of_what_was_committed_is_there(engine: str, tmp_path: Path) -> None:
    settings = {"CODETETHER_DATA_DIR": str(tmp_path), "CODETETHER_SECRET_KEY": "s" * 32, **store_settings(engine)}
    settings["CODETETHER_TOKENS"] = "root:root-token:admin"
    die_answering(settings)
    async with installation(settings, tmp_path) as services:
        (task,) = [json.loads(line) for line in await lines(services) if b'"task.created"' in line]
        assert (task["actor"], task["ip"], task["outcome"]) == ("alice", "192.0.2.7", "success")
        id = task["resource"].removeprefix("task/")
        assert (await services.backend.tasks.get(ADMIN.tenant, id)).created_by == "alice"
        await services.sealing.seal()
        walk = await walked(services)
        assert walk.flaws == [] and walk.unsealed == 0
