"""Races for grants: of any number of claimers exactly one gets each, and the versions tell one legal story.

Because a swap raises the version by one, a history is legal when the versions that were written are 2, 3, 4, … with
nothing twice and nothing left out; no search for an order is needed.
"""

from __future__ import annotations

import asyncio
import unittest
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from codetether_core.errors import TaskUnavailable, VersionConflict
from codetether_core.ids import TaskId, WorkerId
from codetether_core.ports import Backend
from codetether_core.tasks import claim, release
from contracts.ports.harness import Example, OpenBackend, examples
from contracts.ports.samples import NOW, TENANT, TERMS, new_task, word

__all__ = ["processes_contract", "races_contract"]

_TASKS: Final = 12
_CLAIMERS: Final = 8
_ROUNDS: Final = 3
_PROCESSES: Final = 3

_Claimed = list[tuple[str, int, int]]
"""For each grant that a claimer got: the task, the grant's number, and the version that it wrote."""


def races_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Claimers in tasks of one process."""
    return examples("RacesContract", open_backend, _EXAMPLES)


def processes_contract(share: Callable[[], OpenBackend]) -> type[unittest.TestCase]:
    """Claimers in processes, for stores that several may open.

    ``share`` makes a new store and returns what opens this same store in any process: something that pickles.
    """

    class ProcessesContract(unittest.TestCase):
        """Claimers in processes."""

        def test_every_grant_goes_to_one_of_many_processes(self) -> None:
            opener = share()
            asyncio.run(_prepare(opener))
            with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
                calls = [pool.submit(_claim_in_this_process, opener, f"p{n}") for n in range(_PROCESSES)]
                histories = [call.result(timeout=60) for call in calls]
            asyncio.run(_check(opener, histories))

    return ProcessesContract


async def every_grant_goes_to_one_of_many_claimers(backend: Backend) -> None:
    """All want all tasks, again and again."""
    for n in range(_TASKS):
        await backend.tasks.add(new_task(f"t{n}"))
    claimers = (_claim_what_is_ready(backend, f"w{n}") for n in range(_CLAIMERS))
    await _legal(backend, await asyncio.gather(*claimers))


async def _claim_what_is_ready(backend: Backend, worker: str) -> _Claimed:
    """Claim and give back until every task was granted a few times."""
    got: _Claimed = []
    while True:
        offers = await backend.tasks.ready(await backend.tasks.lanes(TENANT, limit=_TASKS), _TASKS)
        wanted = [task for task in offers if (task.grant.number if task.grant else 0) < _ROUNDS]
        if not wanted:
            if all([await _settled(backend, n) for n in range(_TASKS)]):
                return got
            await asyncio.sleep(0)
            continue
        for task in wanted:
            try:
                mine = claim(
                    task, worker=WorkerId(worker), principal="p", now=NOW, terms=TERMS, nonce=f"{worker}{len(got)}"
                )
                await backend.tasks.replace(task, mine, op=f"{worker}{len(got)}")
            except (TaskUnavailable, VersionConflict):
                continue
            assert mine.grant is not None
            got.append((task.id, mine.grant.number, mine.version))
            await asyncio.sleep(0)
            await backend.tasks.replace(mine, release(mine, word(mine.grant), NOW, TERMS))


async def _settled(backend: Backend, n: int) -> bool:
    task = await backend.tasks.get(TENANT, TaskId(f"t{n}"))
    return task.holder is None and task.grant is not None and task.grant.number >= _ROUNDS


async def _legal(backend: Backend, histories: Sequence[_Claimed]) -> None:
    """Each grant once, each with the version that its number implies."""
    grants = Counter((task, number) for history in histories for task, number, _ in history)
    assert grants == Counter((f"t{n}", number + 1) for n in range(_TASKS) for number in range(_ROUNDS))
    assert all(version == 2 * number for history in histories for _, number, version in history)
    for n in range(_TASKS):
        assert (await backend.tasks.get(TENANT, TaskId(f"t{n}"))).version == 1 + 2 * _ROUNDS


async def _prepare(opener: OpenBackend) -> None:
    async with opener() as backend:
        for n in range(_TASKS):
            await backend.tasks.add(new_task(f"t{n}"))


async def _check(opener: OpenBackend, histories: Sequence[_Claimed]) -> None:
    async with opener() as backend:
        await _legal(backend, histories)


def _claim_in_this_process(opener: OpenBackend, worker: str) -> _Claimed:
    async def claim_all() -> _Claimed:
        async with opener() as backend:
            return await _claim_what_is_ready(backend, worker)

    return asyncio.run(claim_all())


_EXAMPLES: Final[tuple[Example, ...]] = (every_grant_goes_to_one_of_many_claimers,)
