"""A server's services with a relay, in this process: tasks are given to whatever agents a test has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from attrs import define

from codetether_adapters import memory
from codetether_adapters.ciphers import Aes
from codetether_adapters.memory import MemoryBlobs
from codetether_adapters.outgoing.allowing import allowed
from codetether_adapters.outgoing.transport import open_transport
from codetether_adapters.peers import Agents, Cards
from codetether_adapters.signing import is_signed
from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.process import Stopping
from codetether_apps.relaying import relaying
from codetether_apps.relaying.relay import Relay
from codetether_core.access import Principal
from codetether_core.agents import Agent
from codetether_core.approvals import Approval, ApprovalState
from codetether_core.events import Topic
from codetether_core.ids import AgentName, TaskId
from codetether_core.services import Services, assemble
from codetether_core.tasks import GLOBAL, LIVE, OUTPUT_KINDS, LeaseTerms, Task, TaskSpec, TaskState

__all__ = ["ANN", "ROOT", "Stage", "staged"]

PATIENCE = 30.0
ANN = Principal(name="ann", roles=frozenset({"editor"}))
ROOT = Principal(name="root", roles=frozenset({"admin"}))


class SteppedClock(SystemClock):
    """The real time, but for steps that a test makes."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@define(eq=False)
class Stage:
    """``transport`` is where requests go."""

    services: Services
    transport: httpx.AsyncBaseTransport
    stopping: Stopping
    clock: SteppedClock

    @asynccontextmanager
    async def again(self) -> AsyncIterator[None]:
        """Another relay, as another server would have one."""
        agents = Agents(self.transport, self.services.clock, self.services.entropy)
        async with relaying(self.services, agents, Stopping()):
            yield

    @asynccontextmanager
    async def until_killed(self) -> AsyncIterator[None]:
        """Another relay, which says no last word."""
        relay = Relay(self.services, Agents(self.transport, self.services.clock, self.services.entropy))
        before = asyncio.all_tasks()
        running = asyncio.create_task(relay.run())
        yield
        running.cancel()
        killed = {task for task in asyncio.all_tasks() - before if "codetether_apps/" in _file(task)}
        for task in killed:
            task.cancel()
        await asyncio.wait({running, *killed})

    async def turns(self) -> None:
        """Let everything that is ready have its turn, and what becomes ready by that."""
        for _ in range(100):
            await asyncio.sleep(0)

    async def until_lapsed(self, id: TaskId) -> None:
        """Its holder has fallen silent for long enough."""
        self.clock.ahead += self.services.terms.ttl * 2
        await self.services.maintenance.sweep()
        assert (await self.services.backend.tasks.get(ANN.tenant, id)).state is TaskState.PENDING

    async def enlist(self, url: str, name: str = "far", who: Principal = ANN, **more: Any) -> Agent:
        """A peer, by its card."""
        return await self.services.enlisting.enlist(who, AgentName(name), url, **more)

    async def give(self, prompt: str, name: str = "far", **members: Any) -> TaskId:
        """A task for a peer."""
        spec = TaskSpec(codebase=GLOBAL, title=prompt, prompt=prompt, target_agent=AgentName(name), **members)
        return (await self.services.submission.submit(ANN, spec)).id

    async def until(self, id: TaskId, *states: TaskState) -> Task:
        """The task, once it is in one of these states."""
        backend = self.services.backend
        with backend.notifier.listen(Topic(ANN.tenant)) as bell:
            async with asyncio.timeout(PATIENCE):
                while (task := await backend.tasks.get(ANN.tenant, id)).state not in states:
                    await bell.wait()
        return task

    async def ended(self, id: TaskId) -> Task:
        """The task, once it has ended."""
        return await self.until(id, *(set(TaskState) - LIVE))

    async def stopped(self, id: TaskId) -> Task:
        """A cancelled task, once it is known that nothing of it runs."""
        backend = self.services.backend
        with backend.notifier.listen(Topic(ANN.tenant)) as bell:
            async with asyncio.timeout(PATIENCE):
                while not (task := await backend.tasks.get(ANN.tenant, id)).stopped:
                    await bell.wait()
        return task

    async def until_placed(self, id: TaskId) -> None:
        """Wait until it is noted what the peer calls the task."""
        backend = self.services.backend
        with backend.notifier.listen(Topic(ANN.tenant)) as bell:
            async with asyncio.timeout(PATIENCE):
                while not ((known := (await backend.tasks.get(ANN.tenant, id)).delegation) and known.task):
                    await bell.wait()

    async def let_expire(self, id: TaskId) -> None:
        """Nobody answers what it asks: a day later."""
        self.clock.ahead += timedelta(days=1)
        await self.services.questions.expire_due(await self.services.backend.tasks.get(ANN.tenant, id))

    async def with_secret(self, name: str, value: str) -> None:
        """The peer knows us by it from now on."""
        await self.services.secret_keeping.register(ROOT, name, value)
        await self.enlist("http://127.0.0.1:9", who=ROOT, secret=name)

    async def without_secret(self, name: str) -> None:
        """Forget it."""
        await self.services.secret_keeping.remove(ROOT, name)

    async def events(self, id: TaskId) -> list[tuple[str, Any]]:
        """The kinds of what it printed, and what that was as JSON."""
        return [(kind, told.get("event")) for kind, told in await self._output(id)]

    async def asked(self, id: TaskId) -> Approval:
        """What it asks, once it does."""
        await self.until(id, TaskState.INPUT_REQUIRED)
        (found,) = await self._open(id)
        return found

    async def until_asked_again(self, id: TaskId, before: Approval) -> None:
        """Wait until it asks something after that."""
        with self.services.backend.notifier.listen(Topic(ANN.tenant)) as bell:
            async with asyncio.timeout(PATIENCE):
                while {each.id for each in await self._open(id)} <= {before.id}:
                    await bell.wait()

    async def printed(self, id: TaskId, stream: str = "stdout") -> str:
        """Its output."""
        return "".join(told["output"] for _, told in await self._output(id) if told["stream"] == stream)

    async def _open(self, id: TaskId) -> Sequence[Approval]:
        return await self.services.questions.find(ANN, task=id, state=ApprovalState.OPEN)

    async def _output(self, id: TaskId) -> list[tuple[str, Any]]:
        task = await self.services.backend.tasks.get(ANN.tenant, id)
        topic = Topic.task(task.tenant, task.spec.codebase, id)
        log = self.services.backend.log
        page = await log.read(topic, await log.start(), kinds=OUTPUT_KINDS)
        records = [*page.records]
        while page.more:
            page = await log.read(topic, page.cursor, kinds=OUTPUT_KINDS)
            records += page.records
        return [(record.kind, json.loads(record.body)) for record in records]

    async def until_printed(self, id: TaskId, text: str, stream: str = "stdout") -> None:
        """Wait until its output has the text."""
        with self.services.backend.notifier.listen(Topic(ANN.tenant)) as bell:
            async with asyncio.timeout(PATIENCE):
                while text not in await self.printed(id, stream):
                    await bell.wait()


def _file(task: asyncio.Task[Any]) -> str:
    """Where what runs is written."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code.co_filename if code else ""


@asynccontextmanager
async def staged(transport: httpx.AsyncBaseTransport | None = None, *, ttl: float = 3.0) -> AsyncIterator[Stage]:
    """Over the memory store; requests may go to this machine, or where ``transport`` takes them."""
    async with memory.open_backend("memory://") as backend, open_transport(allowed(["127.0.0.1"])) as guarded:
        clock, entropy, outgoing = SteppedClock(), SystemEntropy(), transport or guarded
        services = assemble(
            backend,
            clock,
            entropy,
            blobs=MemoryBlobs(),
            cipher=Aes([("k", b"k" * 32)]),
            agent_cards=Cards(outgoing, is_signed),
            terms=LeaseTerms(ttl=timedelta(seconds=ttl)),
        )
        stopping = Stopping()
        offering = asyncio.create_task(services.dispatch.run())
        try:
            async with relaying(services, Agents(outgoing, clock, entropy), stopping):
                yield Stage(services, outgoing, stopping, clock)
        finally:
            offering.cancel()
            await asyncio.wait({offering})
