"""An agent that speaks ACP, from a task over a worker to people and back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from codetether_adapters.client import ApprovalView, TaskHandle
from codetether_adapters.client.operations import Sync
from codetether_core.approvals import ApprovalState
from codetether_core.tasks import TaskState
from tests.acp.scenes import AGENT, Scenario, ask_for, permission, said, text
from tests.agents.agents import gone
from tests.e2e.cluster import Cluster
from tests.e2e.programs import until


def start(cluster: Cluster, scenario: Scenario, **members: object) -> None:
    """A server, and a worker with the agent ``fake`` in the scenario."""
    command = [sys.executable, AGENT, json.dumps(scenario), str(cluster.directory / "heard")]
    with (cluster.directory / "codetether.toml").open("a") as config:
        config.write('[agents.fake]\nprotocol = "acp"\n')
        config.writelines(f"{key} = {json.dumps(value)}\n" for key, value in {"command": command, **members}.items())
    cluster.server()
    cluster.worker()


def asked(cluster: Cluster, task: TaskHandle[Sync]) -> ApprovalView:
    """What the task asks."""
    found = until(lambda: cluster.client.approvals.list(task=task.id), "the question")
    assert found is not None
    return found[0]


def outcomes(result: str | None) -> list[Mapping[str, Any]]:
    """What the agent was told."""
    return [each["outcome"] for each in json.loads((result or "").removeprefix("told "))]


def allow(cluster: Cluster, approval: ApprovalView) -> None:
    cluster.client.approvals.answer(approval.id, choice="yes")


def refuse(cluster: Cluster, approval: ApprovalView) -> None:
    cluster.client.approvals.answer(approval.id, choice="no")


@pytest.mark.parametrize(("answer", "choice"), [(allow, "yes"), (refuse, "no")])
def test_a_person_decides_what_the_policy_leaves_open(
    cluster: Cluster, answer: Callable[[Cluster, ApprovalView], None], choice: str
) -> None:
    """While the lease goes on being renewed, long after it would have ended."""
    call = permission(kind="execute", title="Run it", rawInput={"command": "make release"})
    start(cluster, said(ask_for(call)))
    task = cluster.submit("go", agent="fake")
    approval = asked(cluster, task)
    assert (approval.prompt, approval.held) == ("Run it: make release", True)
    assert approval.tool is not None
    assert (approval.tool.command, approval.tool.kind) == ("make release", "execute")
    renewed = task.refresh().version
    until(lambda: task.refresh().version > renewed + 1, "renewals")
    assert task.task.status is TaskState.INPUT_REQUIRED
    answer(cluster, approval)
    assert outcomes(task.result()) == [{"outcome": "selected", "optionId": choice}]
    assert task.task.attempt == 1


def test_an_agent_is_told_what_only_people_know(cluster: Cluster) -> None:
    """In words of theirs, by whoever answers over HTTP."""
    schema = {"properties": {"tag": {"type": "string", "title": "Which tag?"}}, "required": ["tag"]}
    question = {"method": "elicitation/create", "mode": "form", "message": "Release", "requestedSchema": schema}
    start(cluster, said(ask_for(question)))
    task = cluster.submit("go", agent="fake")
    approval = asked(cluster, task)
    assert (approval.prompt, approval.kind, approval.options) == ("Release\nWhich tag?", "elicitation", ())
    cluster.client.approvals.answer(approval.id, text="v2")
    assert task.result() == 'told [{"action": "accept", "content": {"tag": "v2"}}]'


def test_nobody_is_asked_where_the_policy_has_an_answer(cluster: Cluster) -> None:
    """The checkout may be looked at, and what is in ``.git`` may not be changed: said of it earlier, or in full."""
    checkout = cluster.directory / "checkout"
    begun = {"sessionUpdate": "tool_call", "toolCallId": "call-2", "title": "Edit", "kind": "edit"}
    look = permission(kind="read", locations=[{"path": str(checkout / "README.md")}])
    start(
        cluster,
        said(
            {"update": {**begun, "locations": [{"path": str(checkout / ".git" / "config")}]}},
            ask_for(look, permission(toolCallId="call-2")),
        ),
    )
    task = cluster.submit("go", agent="fake")
    assert [each["optionId"] for each in outcomes(task.result())] == ["yes", "no"]
    answered = cluster.client.approvals.list(status=None, task=task.id)
    assert {each.answered_by for each in answered} == {"policy:looking", "policy:git_internals"}
    assert all(each.status is ApprovalState.ANSWERED for each in answered)


def test_what_an_agent_does_is_told_as_it_does_it(cluster: Cluster) -> None:
    change = {"type": "diff", "path": "a.py", "oldText": "1", "newText": "2"}
    call = {"sessionUpdate": "tool_call", "toolCallId": "1", "title": "Edit a.py", "kind": "edit"}
    steps = (text("I edit."), {"update": {**call, "status": "completed", "content": [change]}}, text("Done."))
    start(cluster, said(*steps))
    task = cluster.submit("go", agent="fake")
    assert task.result() == "Done."
    assert cluster.text(task) == "I edit.Done."
    told = [each["event"]["type"] for each in cluster.output(task) if each.get("event")]
    assert told == ["session", "tool_use", "tool_result", "file_change", "usage"]


def test_a_cancelled_run_leaves_no_process(cluster: Cluster) -> None:
    """Nor an open question: the agent is told that nobody answers, to stop, and then it is ended."""
    pids = cluster.directory / "pids"
    start(cluster, said({"fork": str(pids)}, ask_for(permission()), {"await": "session/cancel"}, {"sleep": 1}))
    task = cluster.submit("go", agent="fake")
    approval = asked(cluster, task)
    task.cancel()
    until(lambda: task.refresh().stopped, "the end of the run")
    assert gone([int(pid) for pid in pids.read_text().split()])
    assert cluster.client.approvals.get(approval.id).status is ApprovalState.WITHDRAWN
    heard = [json.loads(line) for line in (cluster.directory / "heard").read_text().splitlines()]
    assert [each.get("method") or each["result"] for each in heard][-2:] == [
        {"outcome": {"outcome": "cancelled"}},
        "session/cancel",
    ]


def test_a_session_is_gone_on_with_by_a_second_task(cluster: Cluster) -> None:
    """It is noted while the first one runs, whatever its id is like; what was said in both is one history."""
    able = {"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"resume": {}}}}
    gate = cluster.fifo("gate")
    start(
        cluster,
        {"initialize": [{"answer": able}], "session/resume": [{"answer": {}}], **said({"gate": str(gate)}, text("ok"))},
    )
    first = cluster.submit("one", agent="fake")
    until(lambda: first.refresh().session_id == "fake-1", "the session")
    assert first.task.status is TaskState.RUNNING
    gate.write_text("go\n")
    assert first.result() == "ok"
    codebase = cluster.client.codebases.list()[0]
    until(lambda: len(cluster.client.sessions.messages(codebase, "fake-1")) == 2, "the history")
    second = cluster.client.sessions.resume(codebase, "fake-1", "two", agent="fake")
    gate.write_text("go\n")
    assert second.result() == "ok"
    assert (second.task.session_id, second.task.reason) == ("fake-1", None)
    lines = (cluster.directory / "heard").read_text().splitlines()
    resumed = [each for each in map(json.loads, lines) if each.get("method") == "session/resume"]
    assert [each["params"]["sessionId"] for each in resumed] == ["fake-1"]
    until(lambda: len(cluster.client.sessions.messages(codebase, "fake-1")) == 4, "the rest of the history")


def test_a_task_may_require_what_an_agent_can_do(cluster: Cluster) -> None:
    """The worker has asked it before it is offered anything; an agent that does not tell is offered all the same."""
    able = {"protocolVersion": 1, "agentCapabilities": {"promptCapabilities": {"image": True}}}
    with (cluster.directory / "codetether.toml").open("a") as config:
        config.write('[agents.mute]\nprotocol = "acp"\ncommand = ["false"]\n')
    start(cluster, {"initialize": [{"answer": able}]})
    (worker,) = cluster.client.workers.list()
    assert worker.capabilities == ("fake:image",)
    assert cluster.submit("look", agent="fake", capabilities=["fake:image"]).result() == "Done."
    blind = cluster.submit("listen", agent="fake", capabilities=["fake:audio"])
    view = cluster.submit("say", agent="mute", max_attempts=1).wait()
    assert view.reason == "agent_died"
    assert blind.refresh().status is TaskState.PENDING


def test_a_run_that_fails_says_why(cluster: Cluster) -> None:
    start(cluster, said({"complain": "out of credit"}, {"exit": 1}))
    view = cluster.submit("go", agent="fake", max_attempts=1).wait()
    assert (view.status, view.reason, view.error) == (TaskState.FAILED, "agent_died", "out of credit")


def test_an_agent_that_dies_at_work_is_tried_again_in_its_session(cluster: Cluster) -> None:
    """What it had done and said by then is not begun anew."""
    able = {"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"resume": {}}}}
    dies = {"once": str(cluster.directory / "died"), "steps": [text("almost"), {"exit": 1}]}
    start(cluster, {"initialize": [{"answer": able}], "session/resume": [{"answer": {}}], **said(dies, text("there"))})
    task = cluster.submit("go", agent="fake")
    assert task.result() == "there"
    assert (task.task.attempt, task.task.session_id, task.task.reason) == (2, "fake-1", None)
    assert cluster.text(task) == "almostthere"
