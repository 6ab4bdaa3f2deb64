"""A tenant that has one of everything, under the same names as every other."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import httpx
from attrs import frozen

__all__ = ["NAMES", "Filled", "fill"]

NAMES = {
    "workers": "wrk-1",
    "connected": "wrk-1",
    "sessions": "ses-1",
    "agents": "reviewer",
    "artifacts": "notes.txt",
    "accounts": "ann",
    "tool-servers": "issues",
}
"""What both call the same; only what is in it differs."""


@frozen
class Filled:
    """``ids`` are path parameters by what comes before them, ``lease`` is that of its running task."""

    ids: Mapping[str, str]
    lease: str


async def fill(client: httpx.AsyncClient, mark: str) -> Filled:
    """Make one of each with ``mark`` in it."""

    async def post(path: str, /, **body: Any) -> Any:
        answer = await client.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    codebase = (await post("/v1/agent/codebases", name="demo", path="/srv/demo", description=mark))["id"]
    holder = {"worker_id": NAMES["workers"], "name": "one"}
    await post("/v1/agent/workers/register", codebases=[codebase], hostname=mark, **holder)
    waiting = await post("/v1/agent/tasks", prompt=mark, title=mark, codebase_id="global")
    running = (await post("/v1/agent/tasks", prompt=mark, title=mark, codebase_id=codebase))["id"]
    lease = (await post("/v1/worker/tasks/claim", task_id=running, lease=True, **holder))["lease"]["token"]
    words = {"X-Lease-Token": lease, "X-Worker-ID": NAMES["workers"]}
    said = await client.post(f"/v1/agent/tasks/{running}/output", json={"output": mark, **holder}, headers=words)
    assert said.status_code == 200, said.text
    left = mark.encode()
    file = await client.put(f"/v1/agent/tasks/{running}/artifacts/{NAMES['artifacts']}", content=left, headers=words)
    assert file.status_code == 200, file.text
    asked = await client.post(f"/v1/agent/tasks/{running}/ask", json={"prompt": mark, **holder}, headers=words)
    assert asked.status_code == 200, asked.text
    messages = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": mark}]}]
    await post(f"/v1/agent/codebases/{codebase}/sessions/{NAMES['sessions']}/ingest", title=mark, messages=messages)
    await post("/v1/agent/agents", name=NAMES["agents"], description=mark)
    message = (await post("/v1/agent/messages", to=NAMES["agents"], body=mark))["message"]["id"]
    await post("/v1/auth/accounts", name=NAMES["accounts"], password="correct horse", roles=["viewer"])
    server = {"url": "https://tools.example/mcp", "description": mark}
    registered = await client.put(f"/v1/tool-servers/{NAMES['tool-servers']}", json=server)
    assert registered.status_code == 200, registered.text
    key = (await post("/v1/auth/keys", name=mark))["id"]
    ids = {
        **NAMES,
        "codebases": codebase,
        "tasks": running,
        "approvals": asked.json()["approval"]["id"],
        "messages": message,
        "keys": key,
        "blobs": sha256(left).hexdigest(),
        "waiting": waiting["id"],
    }
    return Filled(ids, lease)
