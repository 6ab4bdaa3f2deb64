"""A real server collects the files that nobody names any more, and keeps the others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx

from tests.e2e.programs import until
from tests.http.server import TOKEN, serving

TWO_DAYS = 2 * 86_400


@contextmanager
def server(directory: Path, name: str) -> Iterator[httpx.Client]:
    """One more of the same data directory."""
    with (
        serving(directory / name, {"CODETETHER_DATA_DIR": str(directory / "kept")}) as running,
        httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client,
    ):
        yield client


def files(directory: Path) -> set[str]:
    """The addresses of the blobs there, of every tenant."""
    return {path.name for path in (directory / "kept" / "blobs").rglob("*") if len(path.name) == 64}


def age(directory: Path) -> None:
    """As if all that is there had been put two days ago."""
    then = time.time() - TWO_DAYS
    for path in (directory / "kept" / "blobs").rglob("*"):
        os.utime(path, (then, then))


def test_a_file_that_was_replaced_goes_in_time(tmp_path: Path) -> None:
    first, second = b"first" * 1000, b"second" * 1000
    with server(tmp_path, "before") as client:
        task = client.post("/v1/agent/tasks", json={"prompt": "p", "title": "t", "codebase_id": "global"}).json()["id"]
        claim = client.post("/v1/worker/tasks/claim", json={"task_id": task, "worker_id": "w1", "lease": True}).json()
        words = {"X-Lease-Token": claim["lease"]["token"], "X-Worker-ID": "w1"}
        at = f"/v1/agent/tasks/{task}"
        for content in (first, second):
            assert client.put(f"{at}/artifacts/a.txt", content=content, headers=words).status_code == 200
        client.put(f"{at}/status", json={"worker_id": "w1", "status": "completed", "result": "r"}, headers=words)
        until(lambda: client.get("/v1/agent/reaper/health").json()["last_collection"], "a first look")
        assert {sha256(first).hexdigest(), sha256(second).hexdigest()} <= files(tmp_path)
    age(tmp_path)
    with server(tmp_path, "after") as client:
        assert until(lambda: collected(client), "something to be collected") == 1
        assert client.get(f"{at}/artifacts/a.txt").content == second
        (record,) = client.get("/v1/audit/events?action=blobs.collected").json()["events"]
        assert (record["actor"], record["metadata"]["count"]) == ("system", 1)
    left = files(tmp_path)
    assert sha256(second).hexdigest() in left
    assert sha256(first).hexdigest() not in left


def collected(client: httpx.Client) -> int:
    count: int = client.get("/v1/agent/reaper/health").json()["blobs_collected"]
    return count
