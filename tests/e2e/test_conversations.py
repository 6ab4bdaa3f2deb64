"""Sessions: noted while the run goes on, readable when nobody is there, and really resumed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codetether_adapters.client import ConnectionFailed
from codetether_core.tasks import TaskState
from tests.e2e.cluster import Cluster
from tests.e2e.programs import until

_CODER = """\
read -r word
echo '{"type": "step_start", "sessionID": "ses_first"}'
[ "$word" = wait ] && read -r go < "$(dirname "$0")/gate"
echo "asked '$word' with [$*] [$CODETETHER_SESSION]"
"""


def coder(cluster: Cluster) -> Path:
    """An agent that names its session, and waits at the gate if it is told to."""
    cluster.agent("coder", _CODER, session=["--session", "{session}"], model=["--model={model}"])
    return cluster.fifo("gate")


def history(cluster: Cluster, session: str) -> Sequence[tuple[str, str]]:
    """What the server knows was said: by whom, and the last line of it."""
    try:
        codebase = cluster.client.codebases.list()[0]
        found = cluster.client.sessions.messages(codebase, session)
    except ConnectionFailed:
        return []
    return [(each.role, each.text.splitlines()[-1]) for each in found]


def test_a_resumed_session_is_resumed(cluster: Cluster) -> None:
    """From the route over the task and the worker to the agent's own command line; and its history is one."""
    cluster.server()
    gate = coder(cluster)
    worker = cluster.worker()
    task = cluster.submit("wait", agent="coder", model="p/m")
    until(lambda: task.refresh().session_id, "the session")
    assert task.task.status is TaskState.RUNNING
    gate.write_text("go\n")
    assert task.result().endswith("asked 'wait' with [--model=p/m] []")
    assert task.task.session_id == "ses_first"
    until(lambda: len(history(cluster, "ses_first")) == 2, "the history")
    codebase = cluster.client.codebases.list()[0]
    resumed = cluster.client.sessions.resume(codebase, "ses_first", "go on", agent="coder")
    assert resumed.result().endswith("asked 'go on' with [--session ses_first] [ses_first]")
    assert resumed.task.session_id == "ses_first"
    until(lambda: len(history(cluster, "ses_first")) == 4, "the rest of the history")
    worker.kill()
    assert history(cluster, "ses_first") == [
        ("user", "wait"),
        ("assistant", "asked 'wait' with [--model=p/m] []"),
        ("user", "go on"),
        ("assistant", "asked 'go on' with [--session ses_first] [ses_first]"),
    ]


def test_what_an_agent_cannot_be_given_is_said(cluster: Cluster) -> None:
    """A model that is ignored would be a surprise."""
    cluster.server()
    cluster.worker()
    task = cluster.submit("echo never", model="p/m")
    view = cluster.until_state(task, TaskState.FAILED)
    assert view.reason == "model_not_supported"
    assert "under [agents.sh]" in (view.error or "")


def test_a_server_that_was_down_hears_what_was_said_meanwhile(cluster: Cluster) -> None:
    """From the worker that was there, with no run to remind it."""
    server = cluster.server(CODETETHER_LEASE_TTL="60s")  # a start may take longer than a short one
    gate = coder(cluster)
    cluster.worker()
    task = cluster.submit("wait", agent="coder")
    until(lambda: task.refresh().session_id, "the session")
    server.kill()
    gate.write_text("go\n")
    cluster.server(CODETETHER_LEASE_TTL="60s")
    until(lambda: len(history(cluster, "ses_first")) == 2, "the history")


def test_the_next_life_tells_what_the_last_one_could_not(cluster: Cluster) -> None:
    """Server and worker were both killed before anything was told."""
    server = cluster.server(CODETETHER_LEASE_TTL="60s")  # a start may take longer than a short one
    gate = coder(cluster)
    worker = cluster.worker()
    task = cluster.submit("wait", agent="coder")
    until(lambda: task.refresh().session_id, "the session")
    server.kill()
    gate.write_text("go\n")
    until(lambda: "conversations_not_told" in worker.said, "the run's end")
    worker.kill()
    cluster.server(CODETETHER_LEASE_TTL="60s")
    cluster.worker()
    until(lambda: len(history(cluster, "ses_first")) == 2, "the history")
    assert cluster.until_state(task, TaskState.COMPLETED).attempt == 1
