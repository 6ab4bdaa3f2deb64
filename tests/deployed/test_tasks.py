"""Everything that a deployed worker is asked to do in quiet times, with the token in its server's URL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codetether_adapters.client import TaskCancelled, TaskFailed
from codetether_core.tasks import TaskState
from tests.deployed.program import Program
from tests.deployed.sessions import SESSION
from tests.deployed.site import TOKEN, Site, follow_until


@pytest.mark.parametrize(("agent", "result"), [("echo", "good morning"), ("noop", "ok")])
def test_what_needs_no_agent(quiet_site: Site, agent: str, result: str) -> None:
    task = quiet_site.submit("good morning", agent=agent)
    assert task.result() == result
    view = task.refresh()
    assert (view.worker_id, view.attempt, view.attempts_charged) == ("wrk-first", 1, 0)


def test_a_build_streams_its_output_and_gets_the_model_that_was_asked_for(quiet_site: Site) -> None:
    """1.4.3's own server lost the model on the way (wire.md, T-3)."""
    task = quiet_site.submit("say one; echo two; say three", model="anthropic/claude-x")
    events = [event for event in task.events() if event.name != "status"]
    assert [event.name for event in events] == ["output", "output", "output", "output", "complete"]
    assert events[-1].data["result"] == "one\ntwo\nthree"
    assert [line.partition(" -- ")[0] for line in _started(quiet_site) if "say one; echo two" in line] == [
        "run --agent build --format json --model anthropic/claude-x"
    ]


def test_a_failure_is_told_with_what_the_agent_printed_last(quiet_site: Site) -> None:
    task = quiet_site.submit("say trying; echo no disk >&2; exit 3")
    with pytest.raises(TaskFailed, match="no disk"):
        task.result()
    assert "[stderr] no disk" in [each["output"] for each in quiet_site.output(task)]


def test_no_line_is_lost_or_doubled_however_many_there_are(quiet_site: Site) -> None:
    """1.4.3's own server kept 1,000 and stalled its watchers there (wire.md, ST-1)."""
    task = quiet_site.submit("seq -f 'line %.0f' 1 1500")
    seen = "".join(task.output())
    expected = [f"line {at}" for at in range(1, 1501)]
    kept = quiet_site.output(task)[1:]
    assert [each["output"] for each in kept] == expected
    assert [each["sequence"] for each in kept] == sorted({each["sequence"] for each in kept})
    assert seen.count("line ") == 1500
    assert task.result() == "\n".join(expected)


def test_a_global_task_runs_in_the_workers_home(quiet_site: Site) -> None:
    assert quiet_site.submit("pwd", codebase="global").result() == str(quiet_site.home())


def test_a_codebase_is_registered_by_the_worker_that_has_it(quiet_site: Site, tmp_path: Path) -> None:
    metadata = {"name": "late", "path": str(tmp_path)}
    task = quiet_site.submit("register it", agent="register_codebase", codebase="__pending__", metadata=metadata)
    result = task.result()
    codebase = quiet_site.client.codebases.get("late")
    assert codebase.id in result
    assert (codebase.path, codebase.workers) == (str(tmp_path), ("wrk-first",))
    assert quiet_site.submit("pwd", codebase="late").result() == str(tmp_path)


def test_a_kept_session_is_synchronised_and_really_resumed(quiet_site: Site) -> None:
    """1.4.3's own server never resumed one (wire.md, T-3)."""
    sessions = quiet_site.client.sessions
    assert [session.id for session in sessions.list("demo")] == [SESSION]
    assert ["hi there" in json.dumps(each.parts) for each in sessions.messages("demo", SESSION)] == [True]
    gate = quiet_site.gate()
    task = sessions.resume("demo", SESSION, f"read go < {gate}; say resumed")
    follow_until(task.events(), f'"session_id": "{SESSION}"')
    gate.open()
    assert task.result() == "resumed"
    assert [line for line in _started(quiet_site) if f"--session {SESSION} -- read go < {gate}" in line]


def test_a_new_session_is_known_while_it_runs(quiet_site: Site) -> None:
    """In a directory without others: a deployed worker takes the last one there is for the new one."""
    gate = quiet_site.gate()
    task = quiet_site.submit(f"read go < {gate}; say done", codebase="global")
    follow_until(task.events(), '"session_id": "ses_fake')
    gate.open()
    assert task.result() == "done"
    assert (task.refresh().session_id or "").startswith("ses_fake")


def test_after_a_cancel_the_workers_words_are_refused_and_its_output_is_marked(quiet_site: Site) -> None:
    """A deployed worker is never told; it runs on and learns it from the answer to its outcome."""
    worker = quiet_site.programs[1]
    said = len(worker.lines)
    gate = quiet_site.gate()
    task = quiet_site.submit(f"say before; read go < {gate}; say after")
    follow_until(task.events(), "before")
    assert task.cancel().status is TaskState.CANCELLED
    gate.open()
    worker.until(task.id, "failed with client error: 409", after=said)
    with pytest.raises(TaskCancelled):
        task.result()
    view = task.refresh()
    assert (view.status, view.result) == (TaskState.CANCELLED, None)
    marks = [(each["output"], each.get("after_cancel", False)) for each in quiet_site.output(task)]
    assert [after for output, after in marks if '"before"' in output] == [False]
    assert [after for output, after in marks if '"after"' in output] == [True]


def test_the_workers_token_is_not_in_what_it_registered(quiet_site: Site) -> None:
    """It gives its server's URL as its own, with the token that we told people to put there."""
    registered = quiet_site.api("GET", "/v1/agent/agents")
    assert [agent["url"] for agent in registered["agents"]] == [f"http://127.0.0.1:{quiet_site.port}"]
    assert TOKEN not in json.dumps([registered, quiet_site.api("GET", "/v1/agent/workers")])


def test_two_workers_racing_run_every_task_once(quiet_site: Site) -> None:
    second = quiet_site.hire("second")
    first = quiet_site.programs[1]
    tasks = [quiet_site.submit(f"number {at}", agent="echo") for at in range(30)]
    assert [task.result() for task in tasks] == [f"number {at}" for at in range(30)]
    assert {task.refresh().attempt for task in tasks} == {1}
    claimed = [line for program in (first, second) for line in program.lines if "Successfully claimed" in line]
    assert [sum(task.id in line for line in claimed) for task in tasks] == [1] * 30
    _dismiss(quiet_site, second)


def _dismiss(site: Site, worker: Program) -> None:
    """End a worker that the next test should not find."""
    worker.kill()
    site.programs.remove(worker)


def _started(site: Site) -> list[str]:
    """The arguments of every agent that the first worker has started."""
    return (site.home() / "opencode.log").read_text().splitlines()
