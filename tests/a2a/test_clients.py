"""The official clients of both releases, as their users run them: a real server, a real worker, a token, a webhook."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from attrs import frozen

from codetether_adapters.client import AgentRun
from tests.a2a.agents import working
from tests.a2a.clients import node_program, python_program
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.programs import PATIENCE, until
from tests.outgoing.inbox import Inbox, receiving


@frozen
class Place:
    """Where the agent is, and where its webhooks go."""

    url: str
    inbox: Inbox


async def do(run: AgentRun) -> str:
    """What the programs in ``clients/programs`` ask for."""
    match run.task.prompt.split(" "):
        case ["ask"]:
            answer = await run.ask("Which colour?")
            return f"painted {answer.text}"
        case ["wait"]:
            await anyio.sleep_forever()
        case ["shout", *words]:
            await run.emit(" ".join(words).upper())
            await run.attach("note.txt", b"kept", media_type="text/plain")
    return "done"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server of ours, and a worker."""
    settings = {
        "CODETETHER_STORE": "memory://",
        "CODETETHER_OUTGOING_ALLOW": "127.0.0.1",
        "CODETETHER_SECRET_KEY": "s" * 32,
    }
    cluster = Cluster(tmp_path_factory.mktemp("clients"), settings)
    try:
        cluster.server()
        with working(cluster.url, TOKEN, {"build": do}), receiving() as inbox:
            yield Place(cluster.url, inbox)
    finally:
        cluster.close()


SHOUTED = {
    "state": "completed",
    "said": "done",
    "artifacts": {"output": "HELLO", "note.txt": "kept"},
    "history": ["shout hello"],
}
ASKED = {"state": "input_required", "said": "Which colour?", "artifacts": {}, "history": ["ask"]}
ANSWERED = {
    "state": "completed",
    "said": "painted blue",
    "artifacts": {},
    "history": ["ask", "Which colour?", "blue"],
}
WEBHOOKS = ["more", True, ["h", "more"], ["h"]]
CLIENTS = [
    pytest.param(python_program, "1.3.0", "walk_1_0", "JSONRPC", id="python-1.3.0-jsonrpc"),
    pytest.param(python_program, "1.3.0", "walk_1_0", "HTTP+JSON", id="python-1.3.0-http"),
    pytest.param(python_program, "0.3.26", "walk_0_3", "JSONRPC", id="python-0.3.26"),
    pytest.param(node_program, "1.3.0", "walk_1_0", "JSONRPC", id="javascript-1.3.0-jsonrpc"),
    pytest.param(node_program, "1.3.0", "walk_1_0", "HTTP+JSON", id="javascript-1.3.0-http"),
    pytest.param(node_program, "0.3.14", "walk_0_3", "JSONRPC", id="javascript-0.3.14"),
]


@pytest.mark.parametrize(("program", "release", "name", "binding"), CLIENTS)
def test_a_client_does_everything_that_it_can(
    place: Place, program: Any, release: str, name: str, binding: str
) -> None:
    """Discover, send, stream, get, list, cancel, subscribe, answer, and be told by a webhook."""
    asked = {"agent": place.url, "token": TOKEN, "binding": binding, "hook": place.inbox.url}
    done = subprocess.run(
        program(release, name), input=json.dumps(asked), capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    task, streamed = told.pop("task"), told.pop("streamed")
    assert (streamed[0], streamed[-1]) == ("task", "completed")
    assert sorted({*streamed} - {"working"}) == ["artifact note.txt", "artifact output", "completed", "task"]
    old = name == "walk_0_3"
    assert told == {
        "card": "CodeTether",
        "sent": SHOUTED,
        "got": SHOUTED,
        "missing": "TaskNotFound",
        "canceled": "canceled",
        "canceled again": "TaskNotCancelable",
        "ended": "UnsupportedOperation",
        "asked": ASKED,
        "watched": ["task", "working", "completed"],
        "answered": ANSWERED,
        # of release 0.3, the client in Python can neither list nor delete them
        "webhooks": WEBHOOKS[:2] if old and program is python_program else WEBHOOKS,
        **({} if old else {"listed": [False, True]}),
    }
    until(lambda: states(place.inbox, task, old=old)[-1:] == ["completed"], "the last webhook")


def states(inbox: Inbox, task: str, *, old: bool) -> list[str]:
    """How the task stood, message by message to the webhook that the client gave with its message."""
    found = []
    for taken in [*inbox.taken]:
        body = taken.json
        about = body if "kind" in body else next(iter(body.values()))
        known = taken.headers.get("x-a2a-notification-token") == "let-me-in"  # not so the webhook that came later
        if known and task in (about.get("id"), about.get("taskId")):
            assert ("kind" in body) is old
            found.append(about["status"]["state"].removeprefix("TASK_STATE_").lower())
    return found
