"""Delivering: in order, at least once, in one pair of hands, whatever becomes of receivers and of whoever delivers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from attrs import define, field

from codetether_adapters.ciphers import Aes
from codetether_core.access import Principal
from codetether_core.errors import Busy, NotFound, Unavailable
from codetether_core.events import Record, Topic
from codetether_core.ids import WorkerId
from codetether_core.ports import Backend, Payload
from codetether_core.services import Means, Pushing, Services, assemble
from codetether_core.tasks import GLOBAL, Task, TaskSpec, Word
from codetether_core.webhooks import GIVE_UP_AFTER, Target, Webhook, WebhookState
from contracts.ports.harness import forget
from tests.services.conftest import Dice, FakeClock

pytestmark = pytest.mark.anyio

USER = Principal(name="alice", roles=frozenset({"editor"}))
BOT = Principal(name="bot", roles=frozenset({"worker"}))
KEY = b"k" * 32
TTL = timedelta(seconds=60)
ENDINGS = ("task.completed", "task.failed", "task.cancelled")


@define(eq=False)
class Words:
    """Says what a record is, and of a task how it stands (a ``Renderer``), unless it is at a loss."""

    lost: Exception | None = None

    async def snapshot(self, webhook: Webhook, task: Task, number: int) -> Payload:
        if self.lost is not None:
            raise self.lost
        return _payload(f"{task.state} {number}", last=task.ended)

    async def update(self, webhook: Webhook, record: Record) -> Payload | None:
        if record.kind not in ("task.status", *ENDINGS):
            return None
        status = json.loads(record.body)["status"]
        return _payload(f"{status} {record.number}", last=record.kind in ENDINGS)


def _payload(text: str, *, last: bool) -> Payload:
    return Payload(body=text.encode(), token_header="X-Token", last=last)


@define(eq=False)
class Post:
    """Receivers: ``answer`` says what comes of a message (a ``Courier``). ``taken`` are those that were answered so."""

    answer: Callable[[str, str], Awaitable[int]]
    taken: list[tuple[str, str]] = field(factory=list)
    ids: list[str] = field(factory=list)
    _came: asyncio.Condition = field(factory=asyncio.Condition)

    async def check(self, field: str, url: str) -> None:
        return None

    async def deliver(self, url: str, headers: Mapping[str, str], body: bytes, timeout: timedelta) -> int:
        status = await self.answer(url, body.decode())
        async with self._came:
            if 200 <= status < 300:
                self.taken.append((url, body.decode()))
                self.ids.append(headers["webhook-id"])
            self._came.notify_all()
        return status

    async def count(self, number: int) -> list[str]:
        """What was taken by the time that it is so much."""
        async with asyncio.timeout(30), self._came:
            await self._came.wait_for(lambda: len(self.taken) >= number)
        return [text for _, text in self.taken]


async def eventually(so: Callable[[], Awaitable[bool]]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(60):
        while not await so():  # noqa: ASYNC110 - nobody rings when something is noted
            await asyncio.sleep(0)


def _failed(times: int, webhook: Webhook) -> bool:
    return webhook.attempts == times


async def empty(pushing: Pushing) -> bool:
    """Whether it has nothing in hand."""
    return not pushing._held


async def always(url: str, text: str) -> int:
    return 200


@define(eq=False)
class Scene:
    """One store, and any number of processes that deliver."""

    services: Services
    clock: FakeClock
    post: Post
    words: Words = field(factory=Words)
    _pushing: list[Pushing] = field(factory=list)

    @asynccontextmanager
    async def process(self, post: Post | None = None, most: int = 1000) -> AsyncIterator[Pushing]:
        """One more; at the end it dies at once."""
        backend, services = self.services.backend, self.services
        means = Means(
            webhooks=backend.webhooks,
            tasks=backend.tasks,
            log=backend.log,
            keeping=services.webhook_keeping,
            courier=post or self.post,
            renderer=self.words,
            clock=self.clock,
            entropy=services.entropy,
            ttl=TTL,
        )
        pushing = Pushing(means, backend.notifier, most)
        self._pushing.append(pushing)
        tasks: set[asyncio.Task[None]] = set()

        async def run() -> None:
            async with aclosing(pushing.taken()) as source:
                async for webhook in source:
                    tasks.add(asyncio.create_task(pushing.follow(webhook)))

        loop = asyncio.create_task(run())
        try:
            yield pushing
        finally:
            self._pushing.remove(pushing)
            for task in (loop, *tasks):
                task.cancel()
            for task in (loop, *tasks):
                with suppress(asyncio.CancelledError):
                    await task

    def later(self, duration: timedelta) -> None:
        """Time passes, and everybody looks what is due by then."""
        self.clock.at += duration
        for observer in self.services.webhook_keeping.observers:
            observer()

    async def task(self) -> Task:
        spec = TaskSpec(codebase=GLOBAL, title="t", prompt="p")
        return await self.services.submission.submit(USER, spec)

    async def keep(self, task: Task, url: str = "https://a.example/", name: str = "mine") -> Webhook:
        keeping = self.services.webhook_keeping
        return await keeping.put(USER, task, name, Target(url=url, token="t"), dialect="1.0")

    async def claim(self, task: Task) -> Word:
        held = await self.services.claiming.claim(BOT, WorkerId("w1"), task.id, tokened=True)
        return Word(worker=WorkerId("w1"), principal=BOT.name, token=held.grant.token if held.grant else None)

    async def end(self, task: Task, word: Word) -> None:
        await self.services.reporting.complete(task.tenant, word, task.id, result="done")

    async def until(self, webhook: Webhook, fits: Callable[[Webhook], bool]) -> Webhook:
        """The webhook, as soon as it is so."""
        found = webhook

        async def fitting() -> bool:
            nonlocal found
            found = await self.services.backend.webhooks.get(webhook.tenant, webhook.id)
            return fits(found)

        await eventually(fitting)
        return found


@pytest.fixture
async def scene(backend: Backend, clock: FakeClock) -> Scene:
    return Scene(assemble(backend, clock, Dice(), cipher=Aes([("k1", KEY)])), clock, Post(always))


async def test_of_several_who_keep_it_at_once_the_last_one_stays(scene: Scene) -> None:
    task = await scene.task()
    kept = await asyncio.gather(*(scene.keep(task, f"https://{name}.example/") for name in "abc"))
    (found,) = await scene.services.webhook_keeping.of_task(task)
    assert found == max(kept, key=lambda webhook: webhook.version)


async def test_everything_comes_once_and_in_order(scene: Scene) -> None:
    """Though two processes might bring it."""
    async with scene.process(), scene.process():
        task = await scene.task()
        kept = await scene.keep(task)
        await scene.post.count(1)
        word = await scene.claim(task)
        await scene.post.count(2)
        await scene.end(task, word)
        assert await scene.post.count(3) == ["pending 1", "running 2", "completed 3"]
        done = await scene.until(kept, lambda webhook: webhook.state is WebhookState.DONE)
        assert (done.number, done.attempts, done.due) == (3, 0, None)
    assert len({*scene.post.ids}) == 3


async def test_many_come_once_each_whoever_brings_them(scene: Scene) -> None:
    async with scene.process(), scene.process(), scene.process():
        tasks = [await scene.task() for _ in range(10)]
        for task in tasks:
            for name in ("a", "b"):
                await scene.keep(task, f"https://{name}.example/{task.id}", name)
        for task in tasks:
            await scene.end(task, await scene.claim(task))
        hooks = [f"https://{name}.example/{task.id}" for task in tasks for name in ("a", "b")]

        async def told() -> bool:
            return {url for url, text in scene.post.taken if text == "completed 3"} == {*hooks}

        await eventually(told)
    for url in hooks:
        numbers = [int(text.split(" ")[1]) for where, text in scene.post.taken if where == url]
        assert numbers == sorted({*numbers})
    assert len({*scene.post.ids}) == len(scene.post.ids)


async def test_what_is_not_taken_comes_again_and_nothing_overtakes_it(scene: Scene) -> None:
    refusing = True

    async def answer(url: str, text: str) -> int:
        if refusing and text.startswith("running"):
            return 503
        return 200

    scene.post.answer = answer
    async with scene.process():
        task = await scene.task()
        kept = await scene.keep(task)
        await scene.post.count(1)
        await scene.end(task, await scene.claim(task))
        for attempt in range(1, 6):
            failing = await scene.until(kept, partial(_failed, attempt))
            assert failing.error == "The receiver answered with status 503" and failing.due is not None
            if attempt == 5:
                refusing = False
            scene.later(failing.due - scene.clock.now())
        assert await scene.post.count(3) == ["pending 1", "running 2", "completed 3"]
        assert (await scene.until(kept, lambda webhook: webhook.state is WebhookState.DONE)).attempts == 0


async def test_who_dies_between_sending_and_noting_is_followed_by_another(scene: Scene) -> None:
    """The receiver hears it twice, under one id."""
    heard = asyncio.Event()

    async def never(url: str, text: str) -> int:
        heard.set()
        return await asyncio.get_running_loop().create_future()

    dying = Post(never)
    task = await scene.task()
    async with scene.process(dying):
        kept = await scene.keep(task)
        await asyncio.wait_for(heard.wait(), 30)
    async with scene.process():
        scene.later(TTL - timedelta(seconds=1))
        still = await scene.services.backend.webhooks.get(kept.tenant, kept.id)
        assert still.state is WebhookState.DELIVERING and not scene.post.taken
        scene.later(timedelta(seconds=1))
        assert await scene.post.count(1) == ["pending 1"]
        assert scene.post.ids == [f"{kept.id}.1"]


async def test_who_was_thought_dead_changes_nothing_any_more(scene: Scene) -> None:
    """Its receiver took very long; by then another process has told the end."""
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def slow(url: str, text: str) -> int:
        waiting.set()
        await go_on.wait()
        return 500

    task = await scene.task()
    async with scene.process(Post(slow)) as first:
        kept = await scene.keep(task)
        await asyncio.wait_for(waiting.wait(), 30)
        first.leave()  # or it might begin again itself
        async with scene.process():
            scene.later(TTL)
            await scene.post.count(1)
            await scene.end(task, await scene.claim(task))
            assert await scene.post.count(3) == ["pending 1", "running 2", "completed 3"]
            done = await scene.until(kept, lambda webhook: webhook.state is WebhookState.DONE)
            go_on.set()
            await eventually(lambda: empty(first))
            assert await scene.services.backend.webhooks.get(kept.tenant, kept.id) == done


async def test_who_leaves_gives_back_what_it_has(scene: Scene) -> None:
    """Another goes on at once, where it was."""
    task = await scene.task()
    async with scene.process() as first:
        kept = await scene.keep(task)
        await scene.post.count(1)
        first.leave()
        back = await scene.until(kept, lambda webhook: webhook.state is WebhookState.ACTIVE)
        assert back.due is not None and back.due <= scene.clock.now() and back.number == 1
    async with scene.process():
        await scene.claim(task)
        assert await scene.post.count(2) == ["pending 1", "running 2"]


async def test_a_lease_is_renewed_while_nothing_happens(scene: Scene) -> None:
    async with scene.process(), scene.process():
        task = await scene.task()
        kept = await scene.keep(task)
        await scene.post.count(1)
        before = await scene.until(kept, lambda webhook: webhook.number == 1)
        scene.later(TTL / 2)
        topic = Topic.task(task.tenant, GLOBAL, task.id)
        await scene.services.backend.notifier.notify([topic])
        after = await scene.until(kept, lambda webhook: webhook.version > before.version)
        assert after.due is not None and before.due is not None and after.due >= before.due + TTL / 2
        assert after.state is WebhookState.DELIVERING


async def test_one_that_is_configured_anew_begins_anew(scene: Scene) -> None:
    """Where it leads now, and nowhere else."""
    async with scene.process():
        task = await scene.task()
        kept = await scene.keep(task)
        await scene.post.count(1)
        again = await scene.keep(task, "https://b.example/")
        assert (again.id, again.created_at, again.after) == (kept.id, kept.created_at, None)
        await scene.post.count(2)
        await scene.claim(task)
        await scene.post.count(3)
        assert [url for url, _ in scene.post.taken] == ["https://a.example/", *["https://b.example/"] * 2]


async def test_one_that_is_removed_is_told_nothing_more(scene: Scene) -> None:
    async with scene.process() as pushing:
        task = await scene.task()
        await scene.keep(task)
        await scene.keep(task, "https://b.example/", "other")
        await scene.post.count(2)
        await scene.services.webhook_keeping.remove(USER, task, "mine")
        await scene.services.webhook_keeping.remove(USER, task, "mine")
        await scene.end(task, await scene.claim(task))
        await scene.post.count(4)
        await eventually(lambda: empty(pushing))
    told = [url for url, text in scene.post.taken if text == "completed 3"]
    assert told == ["https://b.example/"]


async def test_what_the_log_has_forgotten_is_made_up_for(scene: Scene) -> None:
    """By the task as it stands."""
    async with scene.process() as first:
        task = await scene.task()
        kept = await scene.keep(task)
        await scene.post.count(1)
        first.leave()
        await scene.until(kept, lambda webhook: webhook.state is WebhookState.ACTIVE)
    await scene.claim(task)
    await forget(scene.services.backend.log, scene.clock.now() + timedelta(days=1))
    async with scene.process():
        assert await scene.post.count(2) == ["pending 1", "running 0"]


async def test_more_than_are_held_at_once_take_turns(scene: Scene) -> None:
    async with scene.process(most=1):
        tasks = [await scene.task() for _ in range(3)]
        for task in tasks:
            await scene.keep(task, f"https://{task.id}.example/")

        async def all_told() -> bool:
            scene.later(TTL / 2)
            await scene.services.backend.notifier.notify(Topic.task(task.tenant, GLOBAL, task.id) for task in tasks)
            return len(scene.post.taken) >= 3

        await eventually(all_told)
    assert {url for url, _ in scene.post.taken} == {f"https://{task.id}.example/" for task in tasks}


async def test_that_we_are_busy_is_nothing_that_a_receiver_did(scene: Scene) -> None:
    async def busy(url: str, text: str) -> int:
        raise Busy("64 other requests are being made")

    scene.post.answer = busy
    kept = await scene.keep(await scene.task())
    async with scene.process():
        resting = await scene.until(kept, lambda webhook: webhook.version == 3)
        assert (resting.state, resting.attempts, resting.failing_since) == (WebhookState.ACTIVE, 0, None)
        assert resting.due is not None and resting.due > scene.clock.now()
        scene.post.answer = always
        scene.later(resting.due - scene.clock.now())
        assert await scene.post.count(1) == ["pending 1"]


async def test_a_fault_of_ours_is_raised_and_noted(scene: Scene) -> None:
    scene.words.lost = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        async with scene.process() as pushing:
            kept = await scene.keep(await scene.task())
            failing = await scene.until(kept, partial(_failed, 1))
            assert failing.error == "It could not be put into words (ZeroDivisionError)"
            await eventually(lambda: empty(pushing))


@pytest.mark.parametrize("how", ["status", "silence", "gone", "key", "words"])
async def test_it_is_given_up_and_revived(scene: Scene, how: str) -> None:
    """After a day, or at once if the receiver is gone for good. The log tells of it, beside the task's own events."""

    async def answer(url: str, text: str) -> int:
        if how == "silence":
            raise Unavailable("There was no answer within 15 seconds")
        return 410 if how == "gone" else 500

    scene.post.answer = answer
    task = await scene.task()
    kept = await scene.keep(task)
    keys = scene.services.data_keys
    cipher, other = keys.cipher, Aes([("k2", b"o" * 32)])
    scene.words.lost = NotFound("file", "f") if how == "words" else None
    if how == "key":
        keys.cipher = other
        keys._open.clear()
    async with scene.process():
        if how != "gone":
            await scene.until(kept, lambda webhook: webhook.attempts == 1)
            scene.later(GIVE_UP_AFTER)
        dead = await scene.until(kept, lambda webhook: webhook.state is WebhookState.DEAD)
        assert dead.error and dead.due is None
        (found,) = await scene.services.webhook_keeping.dead(USER, 10)
        assert found == dead
        events = await scene.services.backend.log.latest(dead.topic, ("push.dead",), 10)
        data: Any = json.loads(events[-1].body)
        assert (data["push_id"], data["task_id"], data["error"]) == (kept.id, task.id, dead.error)
        assert "example" not in events[-1].body.decode()
        assert len(await scene.services.backend.log.latest(dead.task_topic, ("push.dead",), 10)) == 0
        scene.post.answer, keys.cipher, scene.words.lost = always, cipher, None
        await scene.services.webhook_keeping.revive(USER, kept.id)
        assert await scene.post.count(1) == ["pending 1"]
        assert not await scene.services.webhook_keeping.dead(USER, 10)
