"""Which of the offered tasks a worker begins, and when."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream
from attrs import define, field

from codetether_adapters.client import (
    AgentRun,
    AsyncClient,
    CancelNotice,
    Claimed,
    Lease,
    Notice,
    Offer,
    TaskView,
    Worker,
)
from codetether_core.ids import CodebaseId, TaskId
from codetether_core.tasks import TaskState

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def task_of(id: str, priority: int = 0) -> TaskView:
    return TaskView(
        id=TaskId(id), codebase_id=CodebaseId("global"), status=TaskState.PENDING, agent_type="wait", priority=priority
    )


@define
class Desk:
    """A server's side of the protocol that says what a test has it say, and notes what it hears."""

    notices: MemoryObjectReceiveStream[Notice]
    heard: list[tuple[str, str]] = field(factory=list)

    async def register(self, *_: Any, **__: Any) -> None:
        """Nothing comes of it."""

    async def unregister(self, worker_id: str) -> None:
        self.heard.append(("unregister", ""))

    async def stream(self, *_: Any, **__: Any) -> AsyncGenerator[Notice]:
        async for notice in self.notices:
            yield notice

    async def claim(self, worker_id: str, task_id: str, key: str) -> Claimed:
        self.heard.append(("claim", task_id))
        lease = Lease(token="1.n", expires_at=MOMENT, run_deadline=MOMENT, ttl_seconds=3600)
        return Claimed(task=task_of(task_id), lease=lease)

    def __getattr__(self, word: str) -> Callable[..., Any]:
        async def hear(worker_id: str, task_id: str, *_: Any, **__: Any) -> None:
            self.heard.append((word, task_id))

        return hear

    async def hears(self, *words: tuple[str, str]) -> None:
        """Wait for all of these."""
        while not set(words) <= set(self.heard):
            await anyio.lowlevel.checkpoint()

    @property
    def claimed(self) -> list[str]:
        return [task for word, task in self.heard if word == "claim"]


@define
class Waiting:
    """A worker of one slot, whose function ends when ``ended`` says so; one ``stubborn`` about it even if cancelled."""

    desk: Desk
    tell: Callable[[Notice], None]
    stubborn: bool = False
    ended: dict[str, anyio.Event] = field(factory=dict)
    stopping: anyio.Event = field(factory=anyio.Event)

    async def work(self) -> None:
        worker = Worker(cast("AsyncClient", SimpleNamespace(worker=self.desk)), slots=1)

        @worker.agent("wait")
        async def wait(run: AgentRun) -> None:
            self.ended[run.task.id] = ended = anyio.Event()
            try:
                await ended.wait()
            except anyio.get_cancelled_exc_class():
                self.stopping.set()
                with anyio.move_on_after(20, shield=self.stubborn):
                    await ended.wait()
                raise

        await worker.run()

    async def begun(self, task: str) -> anyio.Event:
        while task not in self.ended:
            await anyio.lowlevel.checkpoint()
        return self.ended[task]


@pytest.fixture
async def waiting() -> AsyncGenerator[Waiting]:
    say, hear = anyio.create_memory_object_stream[Notice](100)
    with say, hear:
        yield Waiting(Desk(hear), say.send_nowait)


async def taken_in(waiting: Waiting) -> None:
    """Wait until the worker has heard all that it was told."""
    while waiting.desk.notices.statistics().current_buffer_used:
        await anyio.lowlevel.checkpoint()
    await anyio.wait_all_tasks_blocked()


async def test_the_best_of_the_kept_offers_is_begun_first_then_the_oldest(waiting: Waiting) -> None:
    with anyio.fail_after(20):
        async with anyio.create_task_group() as beside:
            beside.start_soon(waiting.work)
            for offered in (
                task_of("first"),
                task_of("low", -1),
                task_of("high", 5),
                task_of("a"),
                task_of("high2", 5),
            ):
                waiting.tell(Offer(offered))
            waiting.tell(Offer(task_of("low", -1)))
            await taken_in(waiting)
            assert waiting.desk.claimed == ["first"]
            for id in ("first", "high", "high2", "a", "low"):
                (await waiting.begun(id)).set()
            await waiting.desk.hears(("complete", "low"))
            beside.cancel_scope.cancel()
    assert waiting.desk.claimed == ["first", "high", "high2", "a", "low"]


async def test_what_is_offered_while_a_cancelled_function_stops_is_begun_once_it_has(waiting: Waiting) -> None:
    waiting.stubborn = True
    with anyio.fail_after(20):
        async with anyio.create_task_group() as beside:
            beside.start_soon(waiting.work)
            waiting.tell(Offer(task_of("cancelled")))
            slow = await waiting.begun("cancelled")
            waiting.tell(CancelNotice("cancelled"))
            await waiting.stopping.wait()
            waiting.tell(Offer(task_of("next")))
            await taken_in(waiting)
            assert waiting.desk.claimed == ["cancelled"]
            slow.set()
            (await waiting.begun("next")).set()
            await waiting.desk.hears(("complete", "next"))
            beside.cancel_scope.cancel()
    assert waiting.desk.heard[:3] == [("claim", "cancelled"), ("stopped", "cancelled"), ("claim", "next")]


async def test_a_worker_that_leaves_begins_nothing_more(waiting: Waiting) -> None:
    with anyio.fail_after(20):
        async with anyio.create_task_group() as beside:
            beside.start_soon(waiting.work)
            waiting.tell(Offer(task_of("held")))
            await waiting.begun("held")
            waiting.tell(Offer(task_of("kept")))
            await taken_in(waiting)
            beside.cancel_scope.cancel()
    assert waiting.desk.heard == [("claim", "held"), ("release", "held"), ("unregister", "")]
