"""Whether what PostgreSQL commits is kept: what is said of its settings, and what a strict store refuses."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from codetether_adapters.postgres import open_backend
from codetether_core.errors import Unavailable
from contracts.ports.samples import new_task
from tests.servers.postgres import PostgresServer, new_store

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def careful() -> Iterator[PostgresServer]:
    """A server that waits for its disk."""
    server = PostgresServer.make(fsync="on")
    yield server
    server.remove()


async def test_a_server_that_never_waits_for_its_disk(caplog: pytest.LogCaptureFixture) -> None:
    """It is told of, and refused if durability shall be strict."""
    url = new_store()
    async with open_backend(url):
        assert "fsync is off" in caplog.text
    with pytest.raises(Unavailable, match="fsync is off") as caught:
        async with open_backend(url, strict=True):
            pytest.fail("it opened")
    assert "set fsync to on" in caught.value.hint


async def test_a_server_that_keeps_what_it_commits(careful: PostgresServer, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is to be said of it."""
    with caplog.at_level(logging.WARNING):
        async with open_backend(careful.url(careful.new_database()), strict=True) as backend:
            await backend.tasks.add(new_task())
    assert not caplog.text


async def test_a_server_that_becomes_careless() -> None:
    """A strict store is not ready on it any more, and writes nothing over a session that begins then."""
    server = PostgresServer.make(fsync="on")
    try:
        async with open_backend(server.url(server.new_database()), strict=True) as backend:
            await backend.tasks.add(new_task())
            await backend.ping()
            server.stop()
            server.forget("fsync")
            server.start()
            with pytest.raises(Unavailable, match="fsync is off"):
                await backend.ping()
            with pytest.raises(Unavailable, match="fsync is off"):
                await backend.tasks.add(new_task("other"))
    finally:
        server.remove()


@pytest.mark.parametrize("commit", ["local", "remote_write"])
async def test_standbys_that_nobody_waits_for(careful: PostgresServer, commit: str) -> None:
    """They are named, and our sessions shall not wait for their disks: that is somebody's choice, and not strict."""
    with careful.administration() as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names TO 'away'")
        connection.execute(f"ALTER SYSTEM SET synchronous_commit TO {commit}".encode())
        connection.execute("SELECT pg_reload_conf()")
    try:
        with pytest.raises(Unavailable, match=f"synchronous_commit is {commit}"):
            async with open_backend(careful.url(), strict=True):
                pytest.fail("it opened")
    finally:
        with careful.administration() as connection:
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute("SELECT pg_reload_conf()")
