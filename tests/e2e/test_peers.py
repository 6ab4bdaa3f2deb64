"""Two installations: one gives a task to the other over A2A, whose worker does it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define

from codetether_adapters.client import TaskHandle, fresh_key
from codetether_adapters.client.operations import Sync
from codetether_core.approvals import ApprovalState
from codetether_core.tasks import OutputChunk, TaskState
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.programs import Program, until

SETTINGS = {"CODETETHER_OUTGOING_ALLOW": "127.0.0.1", "CODETETHER_SECRET_KEY": "s" * 32}


@define(eq=False)
class Two:
    """Ours, and the one far away, whose worker is the test."""

    ours: Cluster
    far: Cluster
    server: Program

    def give(self, prompt: str) -> TaskHandle[Sync]:
        return self.ours.client.tasks.run(prompt, codebase="global", agent="a2a", target_agent="far")

    def taken(self) -> Run:
        """The task as it comes there."""
        found = until(lambda: self.far.client.tasks.list(status=TaskState.PENDING), "the task's arrival")
        claimed = self.far.client.worker.claim("w", found[0].id, fresh_key())
        return Run(self.far, found[0].id, claimed.lease.token)


@define(eq=False)
class Run:
    """A task far away, by hand."""

    far: Cluster
    id: str
    token: str

    def say(self, text: str, first: int = 0) -> None:
        self.far.client.worker.output("w", self.id, self.token, [OutputChunk(text=text)], first=first)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    clusters = []
    for name in ("ours", "far"):
        (tmp_path / name).mkdir()
        clusters.append(Cluster(tmp_path / name))
    ours, far = clusters
    try:
        far.server(CODETETHER_LEASE_TTL="60s")
        server = ours.server(**SETTINGS)
        ours.client.secrets.put("far-token", TOKEN)
        ours.client.agents.enlist("far", far.url, secret="far-token")
        yield Two(ours, far, server)
    finally:
        for each in clusters:
            each.close()
            sys.stderr.write(each.said())


def test_a_task_is_done_far_away_and_its_question_is_answered_here(two: Two) -> None:
    task = two.give("Paint it")
    run = two.taken()
    assert two.far.client.tasks.get(run.id).prompt == "Paint it"
    run.say("Painting\n")
    two.ours.until_said(task, "Painting")
    asked = two.far.client.worker.ask("w", run.id, run.token, "Which colour?")
    two.ours.until_state(task, TaskState.INPUT_REQUIRED)
    (question,) = two.ours.client.approvals.list(task=task.id)
    assert question.prompt == "Which colour?"
    task.answer(text="red")
    approvals = two.far.client.approvals
    until(lambda: approvals.get(asked.id).status is ApprovalState.ANSWERED, "the answer")
    assert approvals.get(asked.id).text == "red"
    two.far.client.worker.complete("w", run.id, run.token, result="It is red")
    assert two.ours.until_state(task, TaskState.COMPLETED).result == "It is red"


def test_a_cancel_here_is_one_there_and_is_confirmed(two: Two) -> None:
    task = two.give("Paint it")
    run = two.taken()
    task.cancel()
    two.far.until_state(two.far.client.tasks.handle(run.id), TaskState.CANCELLED)
    until(lambda: task.refresh().stopped, "the word that it has stopped")


def test_a_server_that_is_killed_goes_on_with_what_it_gave(two: Two) -> None:
    """What was printed meanwhile is told by the next run, which tells all of it."""
    task = two.give("Paint it")
    run = two.taken()
    run.say("one ")
    two.ours.until_said(task, "one ")
    two.server.kill()
    run.say("two ", first=1)
    two.ours.server(**SETTINGS)
    until(lambda: task.refresh().attempt == 2, "the next lease")
    run.say("three", first=2)
    two.far.client.worker.complete("w", run.id, run.token, result="done")
    assert two.ours.until_state(task, TaskState.COMPLETED).result == "done"
    last = [each["output"] for each in two.ours.output(task) if each["attempt"] == 2]
    assert "".join(last) == "one two three"
    assert len(two.far.client.tasks.list()) == 1
