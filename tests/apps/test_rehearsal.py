"""A server over a store that fails on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from codetether_apps.settings import Settings, SettingsError, read_settings
from codetether_apps.wiring.backends import is_embedded, open_backend
from codetether_core.errors import Unavailable
from contracts.ports.samples import new_task

pytestmark = pytest.mark.anyio


def given(directory: Path, store: str) -> Settings:
    """Settings with this store."""
    return read_settings(environment={"CODETETHER_STORE": store}, directory=directory)


async def test_a_store_that_fails_on_purpose(tmp_path: Path) -> None:
    """Any store may be rehearsed with; what was done behind a lost reply was done."""
    where = f"sqlite://{tmp_path}/rehearsal.db"
    task = new_task()
    async with open_backend(given(tmp_path, f"faulty+{where}?seed=7&before=0&after=1")) as backend:
        with pytest.raises(Unavailable, match="rehearsed"):
            await backend.tasks.add(task)
    async with open_backend(given(tmp_path, where)) as backend:
        assert await backend.tasks.get(task.tenant, task.id) == task


async def test_a_rehearsal_without_faults_is_the_store_itself(tmp_path: Path) -> None:
    """Late is not wrong, and a store in this process stays one."""
    settings = given(tmp_path, "faulty+memory://?before=0&after=0&late=1&delay=0")
    assert is_embedded(settings)
    async with open_backend(settings) as backend:
        assert await backend.tasks.next_due() is None


async def test_a_clock_that_is_off(tmp_path: Path) -> None:
    """Ahead or behind, by so many seconds."""
    settings = [given(tmp_path, f"faulty+memory://?before=0&after=0&skew={skew}") for skew in (-3600, 3600)]
    async with open_backend(settings[0]) as late, open_backend(settings[1]) as early:
        assert round((await early.now() - await late.now()).total_seconds()) == 7200


NONSENSE = [
    "seed=x",
    "before=2",
    "before=0.6&after=0.6",
    "after=-1",
    "late=nan",
    "delay=-1",
    "delay=inf",
    "before=",
    "skew=nan",
    "skew=-inf",
]


@pytest.mark.parametrize("options", NONSENSE)
async def test_faults_that_make_no_sense(tmp_path: Path, options: str) -> None:
    """The sentence names the setting, the hint an address that works."""
    with pytest.raises(SettingsError, match=r"storage\.store") as caught:
        async with open_backend(given(tmp_path, f"faulty+memory://?{options}")):
            pytest.fail("it opened")
    assert "faulty+sqlite:" in caught.value.hint


async def test_what_is_behind_the_faults_has_to_be_there(tmp_path: Path) -> None:
    """As without them."""
    with pytest.raises(SettingsError, match="names none://"):
        async with open_backend(given(tmp_path, "faulty+none://")):
            pytest.fail("it opened")
