"""How a deployed worker signs in, and what its operator reads if it does not."""

from __future__ import annotations

import json

import pytest

from tests.deployed.program import Program
from tests.deployed.site import Site


@pytest.mark.parametrize("prefix", ["", "/behind/a/proxy"])
def test_a_token_of_a_mere_worker_in_the_servers_url_is_enough(site: Site, prefix: str) -> None:
    """Below a path too: the worker keeps it before every path of its own."""
    site.settings["CODETETHER_BASE_PATH"] = prefix
    site.serve()
    worker = site.hire(server=f"http://anybody:fleet-token@127.0.0.1:{site.port}{prefix}")
    assert site.submit("good morning", agent="echo").result() == "good morning"
    assert not [line for line in worker.lines if " 401 " in line or " 403 " in line]


@pytest.mark.parametrize(
    ("sign_in", "detail", "hint"),
    [
        ("anybody:not-the-token@", "Invalid token", None),
        (
            "",
            "Missing Bearer token",
            "send Authorization: Bearer <token>; a 1.4.3 worker does so with --server http://any:TOKEN@host:port",
        ),
    ],
)
def test_who_is_turned_away_reads_why(site: Site, server: Program, sign_in: str, detail: str, hint: str | None) -> None:
    worker = site.hire(server=f"http://{sign_in}127.0.0.1:{site.port}", connected=False)
    for complaint in ("Failed to register codebase: 401 - ", "SSE connection failed: 401 - "):
        said = worker.lines[worker.until(complaint) - 1]
        problem = json.loads(said.partition(complaint)[2])
        assert (problem["detail"], problem.get("hint")) == (detail, hint)
        assert "not-the-token" not in json.dumps(problem)
    assert site.client.workers.list() == ()
