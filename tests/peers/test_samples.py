"""Tasks given to the official kits' own agents, of both releases: some tell what happens, some have to be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codetether_core.approvals import ApprovalKind
from codetether_core.tasks import TaskState
from tests.peers.samples import KINDS, Sample, sampled
from tests.peers.stage import ANN, staged


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{kind[0]}-{'streams' if kind[1] else 'is-asked'}")
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    release, streams = request.param
    with sampled(release, streams, tmp_path_factory.mktemp("sample")) as running:
        yield running


async def test_it_does_a_task(sample: Sample) -> None:
    async with staged() as stage:
        agent = await stage.enlist(sample.url)
        assert agent.description == "An agent of the official kit"
        task = await stage.ended(await stage.give("echo something"))
        assert (task.state, task.result) == (TaskState.COMPLETED, "said something")
        assert await stage.printed(task.id) == "something"
        assert task.delegation and task.delegation.task and task.delegation.agent == "far"
        assert sample.heard.count("echo something") == 1


async def test_what_it_says_meanwhile_is_told_beside(sample: Sample, tmp_path: Path) -> None:
    async with staged() as stage:
        await stage.enlist(sample.url)
        id = await stage.give(f"wait {tmp_path / 'go'}")
        await stage.until_printed(id, "begun, ")
        (tmp_path / "go").touch()
        task = await stage.ended(id)
        assert (task.result, await stage.printed(id)) == ("begun, ended", "begun, ended")


async def test_it_answers_at_once_without_a_task(sample: Sample) -> None:
    async with staged() as stage:
        await stage.enlist(sample.url)
        task = await stage.ended(await stage.give("message"))
        assert (task.state, task.result) == (TaskState.COMPLETED, "no task")


@pytest.mark.parametrize(
    ("word", "error", "reason"), [("fail", "it broke", "agent_failed"), ("reject", "not for me", "rejected")]
)
async def test_it_fails(sample: Sample, word: str, error: str, reason: str) -> None:
    async with staged() as stage:
        await stage.enlist(sample.url)
        task = await stage.ended(await stage.give(word))
        assert (task.state, task.error, task.reason) == (TaskState.FAILED, error, reason)


async def test_it_asks_and_is_answered(sample: Sample) -> None:
    """The question is one like any other, held by us; the answer goes on with the same task there."""
    async with staged() as stage:
        await stage.enlist(sample.url)
        id = await stage.give("ask colour")
        question = await stage.asked(id)
        assert (question.kind, question.prompt, question.held) == (ApprovalKind.QUESTION, "Which colour?", True)
        await stage.services.questions.answer(ANN, question.id, text="red")
        task = await stage.ended(id)
        assert (task.state, task.result) == (TaskState.COMPLETED, "you say red")
        assert sample.heard[-2:] == ["ask colour", "red"]


async def test_it_asks_twice(sample: Sample) -> None:
    async with staged() as stage:
        await stage.enlist(sample.url)
        id = await stage.give("ask colour")
        first = await stage.asked(id)
        await stage.services.questions.answer(ANN, first.id, text="ask shape")
        await stage.until(id, TaskState.RUNNING)
        second = await stage.asked(id)
        assert second.prompt == "Which shape?"
        await stage.services.questions.answer(ANN, second.id, text="round")
        assert (await stage.ended(id)).result == "you say round"


async def test_it_wants_somebody_to_sign_in(sample: Sample) -> None:
    async with staged() as stage:
        await stage.enlist(sample.url)
        id = await stage.give("auth")
        question = await stage.asked(id)
        assert (question.kind, question.prompt) == (ApprovalKind.AUTH, "Sign in at the door")
        await stage.services.questions.answer(ANN, question.id, text="done")
        assert (await stage.ended(id)).result == "you say done"


async def test_it_is_told_of_a_cancel(sample: Sample, tmp_path: Path) -> None:
    async with staged() as stage:
        await stage.enlist(sample.url)
        id = await stage.give(f"wait {tmp_path / 'never'}")
        await stage.until_printed(id, "begun, ")
        cancelled = await stage.services.submission.cancel(ANN, id)
        assert not cancelled.stopped
        assert (await stage.stopped(id)).state is TaskState.CANCELLED


async def test_another_relay_goes_on_with_what_one_gave(sample: Sample, tmp_path: Path) -> None:
    """A server that leaves gives the task back; the next holder does not give it again."""
    async with staged() as stage:
        await stage.enlist(sample.url)
        command = f"wait {tmp_path / 'go'}"
        id = await stage.give(command)
        await stage.until_printed(id, "begun, ")
        stage.stopping.ask()
        given_back = await stage.until(id, TaskState.PENDING)
        assert (given_back.charged, sample.heard.count(command)) == (0, 1)
        async with stage.again():
            await stage.until(id, TaskState.RUNNING)
            (tmp_path / "go").touch()
            task = await stage.ended(id)
        assert (task.state, sample.heard.count(command)) == (TaskState.COMPLETED, 1)
        assert task.result in sample.ends
