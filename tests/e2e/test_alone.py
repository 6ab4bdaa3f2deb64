"""Everything in one process, and the demonstration."""

from __future__ import annotations

import signal
from pathlib import Path

from codetether_adapters.client import Client, Patience
from tests.e2e.cluster import Cluster
from tests.e2e.programs import start, until


def test_one_process_serves_and_works(cluster: Cluster) -> None:
    """It says where it is and how to sign in, runs a task, and is the same worker in its next life."""
    data = cluster.directory / "data"
    settings = {"CODETETHER_DATA_DIR": str(data), "CODETETHER_CONFIG": str(cluster.directory / "codetether.toml")}
    workers = set()
    for life in ("first", "second"):
        log = cluster.directory / f"{life}.log"
        codebase = f"code:{cluster.directory / 'checkout'}"
        program = start(log, settings, "-m", "codetether_apps.standalone", "--port", "0", "--codebase", codebase)
        cluster.programs.append(program)
        until(lambda said=program: "Sign in with" in said.said, "the start")  # type: ignore[misc]
        url = next(word for word in program.said.split() if word.startswith("http://"))
        token = (data / "token").read_text().strip()
        assert f"Sign in with the token in {data / 'token'}" in program.said
        assert token not in program.said
        with Client(url, token=token, patience=Patience(attempts=1)) as client:
            found = until(client.codebases.list, "the registration")
            task = client.tasks.run("pwd", codebase=found[0].id, agent="sh")
            assert task.result() == str(cluster.directory / "checkout")
            workers.add(task.task.worker_id)
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.said
    assert len(workers) == 1


def test_the_demonstration(tmp_path: Path) -> None:
    """``make demo`` tells its story to the end and leaves nothing behind."""
    program = start(tmp_path / "log", {"TMPDIR": str(tmp_path)}, "-m", "codetether_apps.demo")
    assert program.wait() == 0, program.said
    assert "It still has the result" in program.said
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
