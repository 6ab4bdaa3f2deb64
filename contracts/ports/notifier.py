"""The contract of ``Notifier``: bells that stay rung, found by topic."""

from __future__ import annotations

import asyncio
import unittest
from typing import Final

from codetether_core.events import READY, Topic
from codetether_core.ids import TaskId
from codetether_core.ports import Backend
from contracts.ports.harness import Example, OpenBackend, examples
from contracts.ports.samples import CODEBASE, OTHER_TENANT, SECOND, TENANT

__all__ = ["notifier_contract"]

_TASK: Final = Topic.task(TENANT, CODEBASE, TaskId("t"))
_OTHER_TASK: Final = Topic.task(TENANT, CODEBASE, TaskId("u"))
_LONG: Final = 5 * SECOND
_NOW: Final = 0 * SECOND


def notifier_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Wake-ups within one process; that they cross processes is for a store that several may open to show."""
    return examples("NotifierContract", open_backend, _EXAMPLES)


async def a_bell_stays_rung_until_somebody_waits(backend: Backend) -> None:
    """However often it was rung, one wait answers at once, and the next one waits again."""
    with backend.notifier.listen(_TASK) as bell:
        assert not await bell.wait(_NOW)
        await backend.notifier.notify([_TASK])
        await backend.notifier.notify([_TASK, _TASK])
        assert await bell.wait(_LONG)
        assert not await bell.wait(_NOW)
        bell.ring()
        assert await bell.wait()
        assert not await bell.wait(_NOW)


async def a_bell_wakes_who_is_waiting(backend: Backend) -> None:
    """From another task, by a notification or by hand."""
    with backend.notifier.listen(_TASK) as bell:
        waiting = asyncio.create_task(bell.wait(_LONG))
        await asyncio.sleep(0)
        assert not waiting.done()
        await backend.notifier.notify([_TASK])
        assert await waiting
        waiting = asyncio.create_task(bell.wait())
        await asyncio.sleep(0)
        bell.ring()
        assert await waiting


async def wider_listeners_hear_narrower_topics(backend: Backend) -> None:
    """And never the other way round, nor across tenants."""
    listen = backend.notifier.listen
    with (
        listen(_TASK) as task,
        listen(_TASK.widening()[1]) as codebase,
        listen(Topic(TENANT)) as tenant,
        listen(Topic(OTHER_TENANT)) as foreign,
        listen(_OTHER_TASK, Topic(TENANT, READY)) as others,
    ):
        bells = {"task": task, "codebase": codebase, "tenant": tenant, "foreign": foreign, "others": others}

        async def heard(*topics: Topic) -> set[str]:
            await backend.notifier.notify(topics)
            # Whoever listens to the whole tenant hears all of it; once that came, the rest did.
            await tenant.wait(_LONG)
            tenant.ring()
            return {name for name, bell in bells.items() if await bell.wait(_NOW)}

        assert await heard(_TASK) == {"task", "codebase", "tenant"}
        assert await heard(_OTHER_TASK) == {"others", "codebase", "tenant"}
        assert await heard(Topic(TENANT, CODEBASE)) == {"codebase", "tenant"}
        assert await heard(Topic(TENANT, READY)) == {"others", "tenant"}
        assert await heard(Topic(TENANT)) == {"tenant"}
        assert await heard(_TASK, Topic(OTHER_TENANT, READY)) >= {"task", "codebase", "tenant"}


async def a_cancelled_wait_loses_no_ring(backend: Backend) -> None:
    """Who is rung and cancelled at once leaves it rung for the next wait; one that was not rung can wait again."""
    with backend.notifier.listen(_TASK) as bell:
        waiting = asyncio.create_task(bell.wait())
        await asyncio.sleep(0)
        bell.ring()
        waiting.cancel()
        outcome = (await asyncio.gather(waiting, return_exceptions=True))[0]
        assert outcome is True or await bell.wait(_NOW)
        waiting = asyncio.create_task(bell.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await backend.notifier.notify([_TASK])
        assert await bell.wait(_LONG)


async def nobody_hears_after_leaving(backend: Backend) -> None:
    """A listener of the same topic goes on hearing when another one leaves."""
    with backend.notifier.listen(_TASK) as staying:
        with backend.notifier.listen(_TASK, _TASK) as leaving:
            pass
        await backend.notifier.notify([_TASK])
        assert await staying.wait(_LONG)
        assert not await leaving.wait(_NOW)


_EXAMPLES: Final[tuple[Example, ...]] = (
    a_bell_stays_rung_until_somebody_waits,
    a_bell_wakes_who_is_waiting,
    wider_listeners_hear_narrower_topics,
    a_cancelled_wait_loses_no_ring,
    nobody_hears_after_leaving,
)
