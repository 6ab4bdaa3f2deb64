"""Beats come on time, whatever else rings."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta

from codetether_core.events import Page, Topic
from codetether_core.tasks import GLOBAL, OutputChunk
from tests.services.desk import TENANT, open_desk


async def test_a_reader_that_filters_gets_its_beats_although_the_bell_keeps_ringing() -> None:
    async with open_desk() as desk:
        task, word = await desk.claimed(await desk.submitted())
        watching = desk.services.watching.follow(
            Topic.codebase(TENANT, GLOBAL), kinds=("task.completed",), beat=timedelta(seconds=15)
        )
        async with aclosing(watching) as pages:
            await anext(pages)
            beat = asyncio.create_task(anext(pages))
            for ordinal in range(3):
                await asyncio.sleep(0)
                desk.advance(timedelta(seconds=6))
                await desk.services.reporting.output(TENANT, word, task.id, [OutputChunk(text="x")], first=ordinal)
            page = await beat
            assert isinstance(page, Page) and not page.records
