"""What a worker takes on, and where."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from codetether_adapters.client import TaskHandle
from codetether_adapters.client.operations import Sync
from codetether_core.redaction import mark
from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster
from tests.e2e.programs import until


def test_one_run_per_checkout_although_there_are_slots(cluster: Cluster) -> None:
    """The second task waits for the checkout, not for a slot: a task elsewhere is run meanwhile."""
    cluster.server()
    cluster.worker(CODETETHER_WORKER_SLOTS="3")
    gate = cluster.fifo("gate")
    first = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(first, "begun")
    second = cluster.submit("echo mine")
    assert cluster.client.tasks.run("pwd", agent="sh").result()
    assert second.refresh().status is TaskState.PENDING
    gate.write_text("go\n")
    assert first.result() == "begun\ndone"
    assert second.result() == "mine"
    assert second.task.attempt == 1


def test_the_most_urgent_task_is_next_in_a_busy_checkout(cluster: Cluster) -> None:
    """Whatever was offered before it."""
    cluster.server()
    worker = cluster.worker(CODETETHER_WORKER_SLOTS="3")
    gate = cluster.fifo("gate")
    first = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(first, "begun")
    order = cluster.directory / "order"
    later = [cluster.submit(f"echo {name} >> {order}", priority=urgency) for name, urgency in (("low", 0), ("high", 9))]
    until(lambda: all(f"{task.id}" in worker.said for task in later), "both at the door")
    gate.write_text("go\n")
    for task in later:
        task.result()
    assert order.read_text().split() == ["high", "low"]


def test_one_run_per_checkout_whatever_data_directories_the_workers_have(cluster: Cluster) -> None:
    """Two workers of one machine serve one checkout; the one that is not in it waits."""
    subprocess.run(["git", "init", "--quiet"], cwd=cluster.directory / "checkout", check=True)
    cluster.server()
    cluster.worker("first")
    gate = cluster.fifo("gate")
    first = cluster.submit(f"echo begun; read go < {gate}; echo done")
    cluster.until_said(first, "begun")
    other = cluster.worker("second")
    second = cluster.submit("echo mine")
    until(lambda: "checkout_busy" in other.said, "the second worker at the door")
    assert second.refresh().status is TaskState.PENDING
    gate.write_text("go\n")
    assert first.result() == "begun\ndone"
    assert second.result() == "mine"


def test_a_codebase_that_a_task_registers_is_served_at_once(cluster: Cluster) -> None:
    """``register_codebase`` offers one more of the worker's directories; nobody has to connect again."""
    cluster.server(CODETETHER_LEASE_TTL="60s")  # its quarter is a beat, which would be too late
    cluster.worker()
    place = cluster.directory / "another"
    place.mkdir()
    assert "another" in register(cluster, place).result()
    found = until(lambda: [each for each in cluster.client.codebases.list() if each.name == "another"])
    assert cluster.client.tasks.run("pwd", codebase=found[0].id, agent="sh").result() == str(place)


def test_a_codebase_that_a_task_registered_is_served_after_a_restart(cluster: Cluster) -> None:
    """The server goes on listing the worker for it; whoever gives it a task there must not wait for ever."""
    cluster.server()
    worker = cluster.worker()
    place = cluster.directory / "another"
    place.mkdir()
    register(cluster, place).result()
    worker.kill()
    cluster.worker()
    found = until(lambda: [each for each in cluster.client.codebases.list() if each.name == "another"])
    assert cluster.client.tasks.run("pwd", codebase=found[0].id, agent="sh").result() == str(place)


def test_tasks_register_nothing_outside_of_the_workers_roots(cluster: Cluster) -> None:
    """By default the neighbours of what it serves, and what is in its user's home."""
    cluster.server()
    cluster.worker()
    task = register(cluster, Path("/etc"))
    view = cluster.until_state(task, TaskState.FAILED)
    assert view.reason == "outside_roots"
    assert [each.name for each in cluster.client.codebases.list()] == ["code"]


def register(cluster: Cluster, place: Path) -> TaskHandle[Sync]:
    """A task that asks a worker to serve one more directory."""
    return cluster.client.tasks.run(
        "register",
        codebase="__pending__",
        agent="register_codebase",
        metadata={"name": place.name, "path": str(place)},
    )


def test_what_an_agent_leaves_is_kept_with_its_task(cluster: Cluster) -> None:
    """Before the outcome is told, from a run that fails as well, and nothing of it stays on the worker."""
    cluster.server()
    cluster.worker()
    leave = 'cd "$CODETETHER_ARTIFACTS"; mkdir -p out; seq 100000 > out/numbers.txt; echo "<p>" > page.html'
    for task in (cluster.submit(leave), cluster.submit(f"{leave}; exit 3")):
        task.wait()
        found = {each.name: each for each in task.artifacts()}
        assert [(each.name, each.media_type) for each in found.values()] == [
            ("out/numbers.txt", "text/plain"),
            ("page.html", "text/html"),
        ]
        data = b"".join(task.read_artifact("out/numbers.txt"))
        assert data.split() == [b"%d" % number for number in range(1, 100_001)]
        assert found["out/numbers.txt"].size == len(data)
    assert not [*(cluster.directory / "first").glob("workers/*/artifacts/*")]


def test_a_worker_that_dies_with_its_report_leaves_the_files_in_its_next_life(cluster: Cluster) -> None:
    """The server was away when the run ended, and the worker did not live to see it again."""
    server = cluster.server(CODETETHER_LEASE_TTL="60s")
    worker = cluster.worker()
    gate = cluster.fifo("gate")
    task = cluster.submit(f'echo begun; read go < {gate}; echo kept > "$CODETETHER_ARTIFACTS/a.txt"')
    cluster.until_said(task, "begun")
    server.kill()
    gate.write_text("go\n")
    until(lambda: [*(cluster.directory / "first").glob("workers/*/outbox/*.json")], "the report on the disk")
    worker.kill()
    cluster.server(CODETETHER_LEASE_TTL="60s")
    cluster.worker()
    assert task.wait().status is TaskState.COMPLETED
    assert b"".join(task.read_artifact("a.txt")) == b"kept\n"


def test_a_run_is_handed_its_secrets_and_tells_none_of_them(cluster: Cluster) -> None:
    """Its output is clean before it leaves the worker, on whose disk none of them lies either."""
    value = "sk-0123456789abcdef"
    cluster.server()
    cluster.worker()
    cluster.client.secrets.put("anthropic", value, variable="ANTHROPIC_API_KEY", agents=["sh"])
    said = 'printf "%s, " "$ANTHROPIC_API_KEY" "${ANTHROPIC_API_KEY%abcdef}"; echo; echo "$ANTHROPIC_API_KEY" >&2'
    task = cluster.submit(f"{said}; test ${{#ANTHROPIC_API_KEY}} = {len(value)}")
    assert task.result() == f"{mark('anthropic')}, sk-0123456789, "
    kept = [path for path in cluster.directory.rglob("*") if path.is_file() and value.encode() in path.read_bytes()]
    assert not kept


FAILING = """\
from codetether_adapters.agents import CommandRunner
from codetether_apps.worker import main

async def run(self, run, emit, ask):
    raise ValueError(f"the key {run.environment['ANTHROPIC_API_KEY']} is no good")

CommandRunner.run = run
raise SystemExit(main())
"""
"""A worker whose runner is broken."""


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_worker_logs_and_reports_no_secret_of_a_run_that_fails(cluster: Cluster, form: str) -> None:
    """By its agent, which tells it, or by a runner that does; nor is it in what the worker keeps."""
    value = "sk-" + "0123456789 abcdef " * 12 + "end"
    cluster.server()
    worker = cluster.worker(program=FAILING, CODETETHER_LOG_FORMAT=form)
    cluster.client.secrets.put("anthropic", value, variable="ANTHROPIC_API_KEY")
    view = cluster.submit("true").wait()
    assert view.error == f"The worker failed: ValueError: the key {mark('anthropic')} is no good"
    assert f"ValueError: the key {mark('anthropic')} is no good" in worker.said
    worker.kill()
    worker = cluster.worker(CODETETHER_LOG_FORMAT=form)
    view = cluster.submit('echo "no $ANTHROPIC_API_KEY" >&2; exit 3').wait()
    assert view.error == f"no {mark('anthropic')}"
    kept = [
        path for path in cluster.directory.rglob("*") if path.is_file() and b"6789 abcdef 0123" in path.read_bytes()
    ]
    assert not kept


def test_what_may_be_the_beginning_of_a_secret_is_told_of_a_run_that_is_cancelled(cluster: Cluster) -> None:
    """Of what it said nothing is lost: nothing follows that could make a secret of it."""
    cluster.server()
    cluster.worker()
    cluster.client.secrets.put("anthropic", "sk-0123456789abcdef", variable="ANTHROPIC_API_KEY")
    task = cluster.submit(f"printf 'begun sk-0123'; read go < {cluster.fifo('gate')}")
    cluster.until_said(task, "begun")
    task.cancel()
    until(lambda: task.refresh().stopped, "the end of the run")
    assert cluster.text(task) == "begun sk-0123"
