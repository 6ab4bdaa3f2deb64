"""Workers that fall silent, die and come back; users who change their minds; watchers that are cut off."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import timedelta
from random import Random
from typing import Final

from attrs import define

from codetether_core.errors import CodeTetherError, Conflict, StaleLease, Unavailable
from codetether_core.events import Cursor, Record, Topic
from codetether_core.ids import TaskId, WorkerId
from codetether_core.services import Resync
from codetether_core.tasks import GLOBAL, OutputChunk, Profile, TaskSpec, Word
from tests.simulation.world import TERMS, USER, World

__all__ = ["Died", "keep_submitting", "watch", "work"]

_BEAT: Final = timedelta(seconds=15)


class Died(Exception):
    """The worker's process is gone, in the midst of something."""


async def keep_submitting(world: World, count: int) -> None:
    """Submit tasks over half an hour, some of which are cancelled or requeued later."""
    async with asyncio.TaskGroup() as later:
        for number in range(count):
            await asyncio.sleep(world.dice.random() * 1800 / count)
            spec = TaskSpec(codebase=GLOBAL, title=str(number), prompt="p", priority=world.dice.randrange(3))
            key = f"task {number} of this user"
            task = await world.insist(lambda at, spec=spec, key=key: at.submission.submit(USER, spec, key=key))  # type: ignore[misc]
            world.submitted.append(task.id)
            if world.dice.random() < 0.2:
                later.create_task(_change_mind(world, task.id))


async def _change_mind(world: World, id: TaskId) -> None:
    await asyncio.sleep(world.dice.random() * 300)
    with suppress(Conflict):
        if world.dice.random() < 0.5:
            await world.insist(lambda at: at.submission.cancel(USER, id))
        elif not (await world.store.tasks.get(USER.tenant, id)).ended:
            await world.insist(lambda at: at.submission.requeue(USER, id))


async def work(world: World, name: str) -> None:
    """One worker's lives, one after another, for ever."""
    while True:
        with suppress(Died):
            await _live(world, WorkerId(name))
        await asyncio.sleep(world.dice.random() * 120)


async def _live(world: World, worker: WorkerId) -> None:
    """One process: a stream at one replica, words to any."""
    profile = Profile(worker=worker, tenant=USER.tenant)
    dispatch = world.anybody().dispatch
    with dispatch.connect(profile, name=worker, slots=1, dedupes=False) as stream:
        while True:
            with suppress(Unavailable):  # what the worker said to other replicas; the next beat tells it too
                await dispatch.occupy(stream)
            for task in await stream.notices(_BEAT):
                if not task.ended:
                    await _Run(world, worker, task.id, Random(world.dice.random())).go()


@define(eq=False)
class _Run:
    """One task in a worker's hands."""

    world: World
    worker: WorkerId
    id: TaskId
    dice: Random
    printed: int = 0
    stopped: bool = False
    """As SIGSTOP does it: what is on its way to a server goes on, but nothing more is said."""

    async def go(self) -> None:
        """Claim it, print, and say how it ended; ``Died`` if that is where this worker's life ends."""
        key = self.dice.randbytes(16).hex()
        try:
            task = await self.world.insist(
                lambda at: at.claiming.claim(USER, self.worker, self.id, tokened=True, key=key)
            )
        except CodeTetherError:
            return
        assert task.grant is not None
        word, attempt = Word(worker=self.worker, principal=USER.name, token=task.grant.token), task.grant.number
        keeping = asyncio.create_task(self._keep(word))
        try:
            await self._print_and_end(word, attempt)
        except (StaleLease, Conflict):
            pass
        finally:
            keeping.cancel()

    async def _keep(self, word: Word) -> None:
        with suppress(CodeTetherError):
            while True:
                await asyncio.sleep(TERMS.ttl.total_seconds() / 4)
                if self.stopped:
                    continue
                await self.world.insist(lambda at: at.reporting.renew(USER.tenant, word, self.id))

    async def _print_and_end(self, word: Word, attempt: int) -> None:
        for _ in range(self.dice.randrange(6)):
            await self._hesitate()
            self.stopped = not self.dice.randrange(6)
            batch = [
                OutputChunk(text=f"{attempt}:{self.printed + number}") for number in range(self.dice.randrange(1, 4))
            ]
            first = self.printed
            await self.world.insist(
                lambda at, batch=batch, first=first: at.reporting.output(  # type: ignore[misc]
                    USER.tenant, word, self.id, batch, first=first
                )
            )
            self.printed += len(batch)
            self.world.acknowledged[self.id, attempt] = self.printed
            self.stopped = False
        await self._hesitate()
        match self.dice.randrange(10):
            case 0:
                await self.world.insist(lambda at: at.reporting.release(USER.tenant, word, self.id))
            case 1:
                await self.world.insist(lambda at: at.reporting.fail(USER.tenant, word, self.id, "no", retry=True))
            case _:
                result = f"of attempt {attempt}"
                await self.world.insist(lambda at: at.reporting.complete(USER.tenant, word, self.id, result))
                self.world.outcomes[self.id] = attempt, result

    async def _hesitate(self) -> None:
        """Think for a while; be stopped for longer than the lease, agent and renewal and all; or be killed."""
        match self.dice.randrange(25):
            case 0:
                raise Died
            case 1:
                self.stopped = True
                await asyncio.sleep(TERMS.ttl.total_seconds() * (0.5 + 2 * self.dice.random()))
                self.stopped = False
            case _:
                await asyncio.sleep(self.dice.random() * 20)


async def watch(world: World, topic: Topic, seen: list[Record]) -> None:
    """Follow a topic from its start, cut off again and again, at another replica each time."""
    cursor: Cursor | None = None
    while True:
        patience = world.dice.randrange(1, 5)
        with suppress(Unavailable):
            pages = world.anybody().watching.follow(topic, cursor, from_start=cursor is None, beat=_BEAT)
            async with aclosing(pages) as following:
                async for page in following:
                    assert not isinstance(page, Resync), page
                    seen += page.records
                    cursor, patience = page.cursor, patience - 1
                    if not patience:
                        break
        await asyncio.sleep(world.dice.random() * 5)
