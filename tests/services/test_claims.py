"""Claims that are sent again, too late, or by somebody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from codetether_core.errors import IllegalTransition, Invalid, PermissionDenied, StaleLease, TaskUnavailable
from codetether_core.ids import WorkerId
from codetether_core.tasks import TaskState, Word
from codetether_core.workers import Worker
from tests.services.desk import BOT, OTHER, TENANT, USER, open_desk

KEY = "a-key-of-16-chars-or-more"


async def test_a_claim_whose_answer_was_lost_gives_the_same_grant() -> None:
    async with open_desk() as desk:
        task = await desk.submitted()
        first, _ = await desk.claimed(task, key=KEY)
        again, _ = await desk.claimed(task, key=KEY)
        assert first.grant is not None and again.grant is not None
        assert first.grant.token == again.grant.token


async def test_one_key_gives_each_task_a_nonce_of_its_own() -> None:
    async with open_desk() as desk:
        nonces = set()
        for _ in range(2):
            task, _ = await desk.claimed(await desk.submitted(), key=KEY)
            assert task.grant is not None
            assert len(bytes.fromhex(task.grant.nonce)) == 16
            nonces.add(task.grant.nonce)
        assert len(nonces) == 2


async def test_a_claim_sent_again_after_a_lapse_is_renewed() -> None:
    async with open_desk() as desk:
        task, _ = await desk.claimed(await desk.submitted(), key=KEY)
        desk.advance(timedelta(seconds=61))
        await desk.services.maintenance.sweep()
        again, _ = await desk.claimed(task, key=KEY)
        assert again.state is TaskState.RUNNING
        assert again.grant is not None and again.grant.expires_at > desk.clock.now()
        assert again.charged == 0


async def test_a_claim_that_arrives_after_its_grant_is_over_mints_no_second_one() -> None:
    async with open_desk() as desk:
        task, word = await desk.claimed(await desk.submitted(), key=KEY)
        await desk.services.reporting.release(TENANT, word, task.id)
        with pytest.raises(StaleLease):
            await desk.claimed(task, key=KEY)
        assert (await desk.get(task.id)).state is TaskState.PENDING


async def test_a_short_key_is_refused() -> None:
    async with open_desk() as desk:
        with pytest.raises(Invalid):
            await desk.claimed(await desk.submitted(), key="short")


@pytest.mark.parametrize("invented", [True, False])
async def test_a_token_that_is_over_or_invented_claims_nothing(invented: bool) -> None:
    """A delayed word of a superseded holder must not take the task that nobody would then work at."""
    async with open_desk() as desk:
        task = await desk.submitted()
        word = Word(worker=WorkerId("w1"), principal=BOT.name, token="1.5eed")
        if not invented:
            task, word = await desk.claimed(task)
            await desk.services.submission.requeue(USER, task.id)
        with pytest.raises(StaleLease):
            await desk.services.reporting.start(BOT, word, task.id)
        assert (await desk.get(task.id)).state is TaskState.PENDING


async def test_nobody_claims_under_a_worker_id_that_is_another_principals() -> None:
    async with open_desk() as desk:
        now = desk.clock.now()
        worker = Worker(
            id=WorkerId("w1"), tenant=TENANT, principal=OTHER.name, name="w", registered_at=now, last_seen=now
        )
        await desk.services.registration.add_worker(OTHER, worker)
        with pytest.raises(PermissionDenied):
            await desk.claimed(await desk.submitted())


async def test_nobody_claims_a_task_at_its_start_by() -> None:
    async with open_desk() as desk:
        task = await desk.submitted(start_by=desk.clock.now() + timedelta(seconds=5))
        desk.advance(timedelta(seconds=5))
        with pytest.raises(TaskUnavailable, match="start by"):
            await desk.claimed(task)


async def test_giving_back_and_failing_for_a_retry_can_be_said_twice() -> None:
    async with open_desk() as desk:
        reporting = desk.services.reporting
        task, word = await desk.claimed(await desk.submitted())
        released = await reporting.release(TENANT, word, task.id)
        assert await reporting.release(TENANT, word, task.id) == released
        task, word = await desk.claimed(task)
        retried = await reporting.fail(TENANT, word, task.id, "quota", retry=True)
        assert await reporting.fail(TENANT, word, task.id, "quota", retry=True) == retried


async def test_what_is_on_offer_cannot_be_requeued() -> None:
    async with open_desk() as desk:
        task = await desk.submitted()
        with pytest.raises(IllegalTransition):
            await desk.services.submission.requeue(USER, task.id)
