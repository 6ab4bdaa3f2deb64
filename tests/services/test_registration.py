"""What is registered, and when it can go."""

from __future__ import annotations

import pytest

from codetether_core.errors import Conflict, NotFound
from tests.services.desk import USER, open_desk


async def test_a_codebase_stays_while_a_task_of_it_has_not_ended() -> None:
    """The task would wait for ever, and nobody could say for what."""
    async with open_desk() as desk:
        registration = desk.services.registration
        codebase = await registration.add_codebase(USER, name="web", path="/srv/web")
        task = await desk.submitted(codebase=codebase.id)
        with pytest.raises(Conflict):
            await registration.remove_codebase(USER, codebase.id)
        await desk.services.submission.cancel(USER, task.id)
        await registration.remove_codebase(USER, codebase.id)
        with pytest.raises(NotFound):
            await registration.remove_codebase(USER, codebase.id)
