"""Output of one run that comes in at two replicas, at once and again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters import memory, sqlite
from codetether_adapters.ciphers import Aes
from codetether_core.access import Principal
from codetether_core.errors import NotConfigured
from codetether_core.events import Topic
from codetether_core.ids import WorkerId
from codetether_core.ports import Backend
from codetether_core.redaction import mark
from codetether_core.services import Question, Services, assemble
from codetether_core.tasks import GLOBAL, OUTPUT_KINDS, OutputChunk, Task, TaskSpec, TaskState, Word
from tests.services.conftest import Dice, FakeClock

pytestmark = pytest.mark.anyio

ADMIN = Principal(name="root", roles=frozenset({"admin"}))
TENANT = ADMIN.tenant
KEY = "sk-0123456789"


@frozen
class Run:
    """A task that is held, at two replicas of one store."""

    replicas: Sequence[Services]
    clock: FakeClock
    task: Task
    word: Word

    @classmethod
    async def begin(cls, backend: Backend) -> Run:
        clock = FakeClock()
        one, two = (assemble(backend, clock, Dice(), cipher=Aes([("k1", b"k" * 32)])) for _ in range(2))
        await one.secret_keeping.register(ADMIN, "key", KEY)
        task = await one.submission.submit(ADMIN, TaskSpec(codebase=GLOBAL, title="t", prompt="p"))
        task = await two.claiming.claim(ADMIN, WorkerId("w1"), task.id, tokened=True)
        assert task.grant is not None
        return cls((one, two), clock, task, Word(worker=WorkerId("w1"), principal="root", token=task.grant.token))

    async def say(self, replica: int, first: int | None, *texts: str) -> None:
        chunks = [OutputChunk(text=text) for text in texts]
        await self.replicas[replica].reporting.output(TENANT, self.word, self.task.id, chunks, first=first)

    async def told(self) -> str:
        log, topic = self.replicas[0].backend.log, Topic.task(TENANT, GLOBAL, self.task.id)
        records = await log.slice(topic, OUTPUT_KINDS, offset=0, limit=1000)
        return "".join(json.loads(record.body)["output"] for record in records)


@pytest.fixture(params=["memory", "sqlite"])
async def run(request: pytest.FixtureRequest, anyio_backend: str, tmp_path: Path) -> AsyncIterator[Run]:
    url = "memory://" if request.param == "memory" else f"sqlite://{tmp_path}/store.db"
    async with (memory if request.param == "memory" else sqlite).open_backend(url) as backend:
        yield await Run.begin(backend)


async def test_batches_meet_wherever_they_come_in(run: Run) -> None:
    """What one replica held back the other goes on with; in between it is kept, and not in clear."""
    await run.say(0, 0, f"a {KEY[:5]}")
    assert await run.told() == "a "
    head = await run.replicas[1].backend.log.output_head(TENANT, run.task.id)
    assert head.held.startswith("ct1.") and KEY[:5] not in head.held
    await run.say(1, 1, KEY[5:9])
    await run.say(0, 2, f"{KEY[9:]} b")
    assert await run.told() == f"a {mark('key')} b"


async def test_a_batch_that_comes_twice_at_once_is_told_once(run: Run) -> None:
    """Of two replicas, each with the same pieces, and then with more."""
    pieces = [*f"a {KEY} b {KEY}"]
    for size in (1, 3):
        await asyncio.gather(*(run.say(n % 2, 0, *pieces[: size * n]) for n in range(1, 9)))
    await run.say(0, 0, *pieces)
    await run.replicas[1].reporting.complete(TENANT, run.word, run.task.id, KEY)
    assert await run.told() == f"a {mark('key')} b {mark('key')}"
    assert (await run.replicas[0].backend.tasks.get(TENANT, run.task.id)).result == mark("key")


async def test_a_secret_is_known_elsewhere_two_seconds_later(run: Run) -> None:
    one, two = run.replicas
    assert await two.redaction.of(TENANT)
    await one.secret_keeping.register(ADMIN, "new", "another-secret")
    assert (await one.redaction.of(TENANT)).find("another-secret")
    run.clock.at += timedelta(seconds=2)
    assert (await two.redaction.of(TENANT)).find("another-secret")
    await two.secret_keeping.remove(ADMIN, "new")
    assert not (await two.redaction.of(TENANT)).find("another-secret")


async def test_a_secret_that_was_registered_anew_is_another(run: Run) -> None:
    """At a replica that saw neither the end of the first nor the beginning of the second."""
    one, two = run.replicas
    assert (await two.redaction.of(TENANT)).find(KEY)
    await one.secret_keeping.remove(ADMIN, "key")
    await one.secret_keeping.register(ADMIN, "key", "another-secret")
    run.clock.at += timedelta(seconds=2)
    assert (await two.redaction.of(TENANT)).find("another-secret")
    assert [each for each in two.redaction.known() if each.find("another-secret")]
    assert (await one.redaction.of(TENANT)).find("another-secret")
    one.redaction.forget(TENANT)
    assert [each for each in one.redaction.known() if each.find("another-secret")]


async def test_a_question_in_the_middle_of_a_secret_does_not_tell_it(run: Run) -> None:
    await run.say(0, 0, f"a {KEY[:5]}")
    await run.replicas[1].asking.ask(TENANT, run.word, run.task.id, Question(prompt="well?"))
    await run.say(1, 1, f"{KEY[5:]} b")
    assert await run.told() == f"a {mark('key')} b"


async def test_the_last_word_of_a_cancelled_run_tells_what_was_held_back(run: Run) -> None:
    await run.say(0, 0, "a s")
    await run.replicas[0].submission.cancel(ADMIN, run.task.id)
    await run.say(1, 1, "topped s")
    await run.replicas[1].reporting.stopped(TENANT, run.word, run.task.id)
    assert await run.told() == "a stopped s"


@pytest.mark.parametrize("replica", [0, 1])
@pytest.mark.parametrize("ordinals", [True, False])
async def test_what_was_held_back_is_told_although_there_are_no_secrets_any_more(
    run: Run, replica: int, ordinals: bool
) -> None:
    """With the next piece in its place, with the last word after it, and at a replica that never knew of any."""
    one = run.replicas[0]
    await run.say(0, 0, "a s")
    await one.secret_keeping.remove(ADMIN, "key")
    run.clock.at += timedelta(seconds=2)
    await run.say(replica, 1 if ordinals else None, "o s")
    assert await run.told() == "a so s"
    await one.secret_keeping.register(ADMIN, "key", KEY)
    run.clock.at += timedelta(seconds=2)
    await run.say(1, 2 if ordinals else None, "o s")
    await one.secret_keeping.remove(ADMIN, "key")
    run.clock.at += timedelta(seconds=2)
    await run.replicas[replica].reporting.complete(TENANT, run.word, run.task.id, "done")
    assert await run.told() == "a so so s"


@pytest.mark.parametrize("ending", ["sign_off", "begin_anew"])
async def test_what_an_old_worker_said_is_told_before_its_task_goes_to_others(run: Run, ending: str) -> None:
    """It has no token, and no word of its own about the task."""
    services = run.replicas[1]
    task = await services.submission.submit(ADMIN, TaskSpec(codebase=GLOBAL, title="t", prompt="p"))
    old = Run(run.replicas, run.clock, task, Word(worker=WorkerId("w2"), principal="root"))
    await services.claiming.claim(ADMIN, old.word.worker, task.id, tokened=False)
    await old.say(0, None, "a s")
    assert await old.told() == "a "
    await getattr(services.reporting, ending)(ADMIN, old.word.worker)
    assert await old.told() == "a s"
    assert (await services.backend.tasks.get(TENANT, task.id)).state is TaskState.PENDING


async def test_a_tenant_whose_keys_are_missing_does_not_stop_the_reaper_for_others(run: Run) -> None:
    """And can replace or remove what cannot be read any more."""
    backend = run.replicas[0].backend
    lost = assemble(backend, run.clock, Dice(), cipher=Aes([("k2", b"2" * 32)]))
    with pytest.raises(NotConfigured):
        await lost.redaction.of(TENANT)
    run.clock.at += timedelta(hours=1)
    await lost.maintenance.sweep()
    assert lost.maintenance.alive
    await lost.secret_keeping.remove(ADMIN, "key")
    assert not await lost.redaction.of(TENANT)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20), st.integers(0, 20)), max_size=20))
def test_however_batches_are_sent_again_the_output_is_the_same(sendings: list[tuple[int, int, int]]) -> None:
    """A worker sends from any piece that the server has, or that comes next, as far as it likes."""

    async def play() -> None:
        async with memory.open_backend() as backend:
            run, pieces, known = await Run.begin(backend), [*f"x{KEY[:6]}{KEY}"], 0
            for replica, start, end in sendings:
                first, last = min(start, known), min(max(start, end), len(pieces))
                await run.say(replica, first, *pieces[first:last])
                known = max(known, last)
            await run.say(0, known, *pieces[known:])
            assert await run.told() == f"x{KEY[:6]}{mark('key')}"

    asyncio.run(play())
