"""Going through everything while it is in use passes nothing over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from codetether_adapters.memory import open_backend
from codetether_core.ids import SessionId, TaskId
from codetether_core.services.walking import every_session, every_task
from codetether_core.sessions import Session
from contracts.ports.samples import CODEBASE, NOW, TENANT, new_task

pytestmark = pytest.mark.anyio

COUNT = 450
"""More than two pages."""


def session(number: int) -> Session:
    at = NOW + timedelta(seconds=number)
    return Session(
        id=SessionId(f"s{number}"), tenant=TENANT, codebase=CODEBASE, created_at=at, updated_at=at, synced_at=at
    )


async def test_sessions_that_somebody_goes_on_with_are_met_once() -> None:
    """Wherever they stand in the order of change."""
    async with open_backend() as backend:
        for number in range(COUNT):
            await backend.sessions.put(None, session(number))
        told: list[SessionId] = []
        async for each in every_session(backend.sessions, TENANT):
            told.append(each.id)
            if len(told) in (1, 250, 430):
                moving = session(len(told) // 10)
                later = NOW + timedelta(days=len(told))
                await backend.sessions.put(moving, evolve(moving, updated_at=later, version=2))
        assert len(told) == COUNT
        assert set(told) == {session(number).id for number in range(COUNT)}


async def test_tasks_that_are_added_push_no_other_out_of_sight() -> None:
    async with open_backend() as backend:
        for number in range(COUNT):
            await backend.tasks.add(new_task(f"t{number}", at=NOW + timedelta(seconds=number)))
        told: list[TaskId] = []
        async for each in every_task(backend.tasks, TENANT):
            told.append(each.id)
            if len(told) % 100 == 1:
                await backend.tasks.add(new_task(f"new{len(told)}", at=NOW + timedelta(days=len(told))))
        assert len(told) == len(set(told))
        assert {*told} >= {TaskId(f"t{number}") for number in range(COUNT)}
