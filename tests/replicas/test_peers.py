"""Tasks that an agent elsewhere does, over replicas: one goes on with what another gave, and nothing is given twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codetether_adapters.client import TaskHandle
from codetether_adapters.client.operations import Sync
from codetether_core.tasks import TaskState
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.programs import until
from tests.peers.samples import Sample, sampled
from tests.replicas.waking import at_two

Pair = tuple[Cluster, Cluster]
SETTINGS = {"CODETETHER_OUTGOING_ALLOW": "127.0.0.1", "CODETETHER_SECRET_KEY": "s" * 32}


@pytest.fixture
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sample]:
    """Of release 1.0, unless ``param`` names another."""
    with sampled(getattr(request, "param", "1.0"), True, tmp_path) as running:
        yield running


def given(cluster: Cluster, prompt: str, **more: Any) -> TaskHandle[Sync]:
    return cluster.client.tasks.run(prompt, codebase="global", agent="a2a", target_agent="far", **more)


@pytest.mark.parametrize("sample", ["1.0", "0.3"], indirect=True)
@at_two("postgresql", "redis")
def test_another_goes_on_with_it_when_one_is_killed(replicas: Pair, sample: Sample, tmp_path: Path) -> None:
    one, two = replicas
    first = one.server(**SETTINGS)
    one.client.agents.enlist("far", sample.url)
    command = f"wait {tmp_path / 'go'}"
    task = given(one, command)
    one.until_said(task, "begun, ")
    first.kill()
    two.server(**SETTINGS)
    known = two.client.tasks.handle(task.id)
    until(lambda: known.refresh().attempt == 2, "the other's lease")
    (tmp_path / "go").touch()
    view = two.until_state(known, TaskState.COMPLETED)
    assert (view.attempt, sample.heard.count(command)) == (2, 1)
    assert view.result in sample.ends


@at_two("postgresql")
def test_one_that_leaves_hands_it_over(replicas: Pair, sample: Sample, tmp_path: Path) -> None:
    """And no attempt is charged; the agent hears nothing of it, and of a cancel at the other one."""
    one, two = replicas
    first = one.server(**SETTINGS)
    one.client.agents.enlist("far", sample.url)
    command = f"wait {tmp_path / 'never'}"
    task = given(one, command)
    one.until_said(task, "begun, ")
    two.server(**SETTINGS)
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    known = two.client.tasks.handle(task.id)
    until(lambda: known.refresh().attempt == 2, "the other's lease")
    assert known.task.attempts_charged == 0
    known.cancel()
    until(lambda: known.refresh().stopped, "the agent's word that it has stopped")
    assert sample.heard.count(command) == 1


@at_two("redis")
def test_a_cancel_at_one_reaches_the_agent_through_the_other(replicas: Pair, sample: Sample, tmp_path: Path) -> None:
    one, two = replicas
    one.server(**SETTINGS)
    one.client.agents.enlist("far", sample.url)
    task = given(one, f"wait {tmp_path / 'never'}")
    one.until_said(task, "begun, ")
    two.server(**SETTINGS)
    two.client.tasks.handle(task.id).cancel()
    until(lambda: task.refresh().stopped, "the agent's word that it has stopped")
    assert task.refresh().status is TaskState.CANCELLED
    assert TOKEN not in "".join(sample.heard)
