"""A real agent, from a task over a worker to a person's leave and back."""

from __future__ import annotations

import json

import pytest

from codetether_core.tasks import TaskState
from tests.acp.opencode import Model, opencode, settings
from tests.e2e.cluster import Cluster
from tests.e2e.programs import until


@pytest.mark.parametrize("allowed", [True, False])
def test_opencode_runs_what_a_person_allows_and_nothing_else(cluster: Cluster, allowed: bool) -> None:
    """Its own session is noted, and gone on with by the next task; the model is the one that the task names."""
    with Model("echo proof > proof.txt") as model:
        home = cluster.directory / "home"
        home.mkdir()
        with (cluster.directory / "codetether.toml").open("a") as config:
            config.write('[agents.opencode]\nprotocol = "acp"\n')
            config.write(f"command = {json.dumps(opencode())}\n[agents.opencode.set]\n")
            config.writelines(f"{name} = {json.dumps(value)}\n" for name, value in settings(model, home).items())
        cluster.server()
        cluster.worker()
        task = cluster.submit("Write the proof", agent="opencode", model="stub/n")
        found = until(lambda: cluster.client.approvals.list(task=task.id), "the question")
        assert found is not None
        (approval,) = found
        assert approval.tool is not None
        assert (approval.tool.kind, approval.tool.command) == ("execute", "echo proof > proof.txt")
        cluster.client.approvals.answer(approval.id, choice="once" if allowed else "reject")
        view = task.wait()
        assert view.status is TaskState.COMPLETED, view.error
        assert (cluster.directory / "checkout" / "proof.txt").exists() is allowed
        assert cluster.text(task) == ("I try.All done." if allowed else "I try.")
        told = [each["event"]["type"] for each in cluster.output(task) if each.get("event")]
        assert [type for type in told if type in ("tool_use", "tool_result", "usage")][:3] == [
            "tool_use",
            "tool_result",
            "usage",
        ]
        assert view.session_id is not None
        assert "n" in model.asked
        codebase = cluster.client.codebases.list()[0]
        until(lambda: len(cluster.client.sessions.messages(codebase, view.session_id or "")) == 2, "the history")
        resumed = cluster.client.sessions.resume(codebase, view.session_id, "And again", agent="opencode")
        assert resumed.result() == "All done."
        assert (resumed.task.session_id, resumed.task.reason) == (view.session_id, None)
