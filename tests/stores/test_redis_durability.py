"""Whether what was accepted is kept: what is said of a server's settings, and what strict durability waits for."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from codetether_adapters.redis import durability, nodes, open_backend
from codetether_adapters.redis.durability import on_disk, shortcomings
from codetether_core.errors import AlreadyExists, Unavailable
from codetether_core.events import Topic
from codetether_core.ids import CodebaseId, TaskId
from codetether_core.ports import TaskQuery
from contracts.ports.harness import insist
from contracts.ports.samples import CODEBASE, SECOND, TENANT, claimed, new_task, output
from tests.servers.valkey import Valkey, ValkeyCluster, fresh, wait_until

pytestmark = pytest.mark.anyio

CAREFUL = ("--appendonly", "yes", "--appendfsync", "always")
TOPIC = Topic.task(TENANT, CODEBASE, TaskId("t"))
strictly = partial(open_backend, strict=True)


@contextmanager
def server(*settings: str) -> Iterator[Valkey]:
    own = Valkey(*settings)
    try:
        yield own.start()
    finally:
        own.close()


@contextmanager
def pair(*settings: str) -> Iterator[tuple[Valkey, Valkey]]:
    """A careful server, and a replica with these settings that has caught up."""
    delay = ("--repl-diskless-sync-delay", "0")
    with (
        server(*CAREFUL, *delay) as primary,
        server(*settings, *delay, "--replicaof", f"127.0.0.1 {primary.port}") as replica,
    ):
        wait_until(lambda: "'online'" in str(primary.ask("INFO", "replication")), "the replica is there")
        yield primary, replica


@contextmanager
def cluster(replicas: int = 0) -> Iterator[ValkeyCluster]:
    own = ValkeyCluster(*CAREFUL, replicas=replicas)
    try:
        yield own.start()
    finally:
        own.close()


async def refusal(url: str) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        async with strictly(url):
            pytest.fail("it opened")
    assert caught.value.hint
    return caught.value


# ------------------------------------------------------------------ what the settings promise


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "CONFIG GET"),
        ({"appendonly": "no", "save": ""}, "keeps nothing on disk"),
        ({"appendonly": "no", "save": "3600 1"}, "save 3600 1"),
        ({"appendonly": "yes", "appendfsync": "everysec"}, "once a second"),
        ({"appendonly": "yes", "appendfsync": "no"}, "to the system"),
        ({"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "yes"}, "rewrites its log"),
    ],
)
def test_what_may_be_lost_is_said(settings: dict[str, str], said: str) -> None:
    """By the setting that is to blame."""
    assert said in on_disk(settings)
    assert len([*shortcomings(settings, replicas=1)]) == 2


def test_nothing_is_said_where_nothing_may_be_lost() -> None:
    """The log is written before the answer, and nobody else could take over without it."""
    kept = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "save": ""}
    assert [*shortcomings(kept, replicas=0)] == []
    assert "failover" in "".join(shortcomings(kept, replicas=1))


async def test_a_start_says_what_the_server_promises(caplog: pytest.LogCaptureFixture) -> None:
    """A warning, unless everything reaches the disk; once for each server, and again when its settings changed."""
    with server("--appendonly", "no") as own, caplog.at_level(logging.INFO):
        async with open_backend(own.url) as backend:
            own.ask("CLIENT", "KILL", "TYPE", "normal")
            await insist(backend.ping)
            assert caplog.text.count("is lost when it stops") == 1
            own.ask("CONFIG", "SET", "appendonly", "yes", "appendfsync", "always")
            own.ask("CLIENT", "KILL", "TYPE", "normal")
            await insist(backend.ping)
            assert caplog.text.count("before it answers") == 1


# ------------------------------------------------------------------ strict: the disk


@pytest.mark.parametrize(
    "settings",
    [
        ("--appendonly", "no"),
        ("--appendonly", "yes", "--appendfsync", "everysec"),
        ("--appendonly", "yes", "--appendfsync", "no"),
        (*CAREFUL, "--no-appendfsync-on-rewrite", "yes"),
        (*CAREFUL, "--rename-command", "CONFIG", ""),
    ],
)
async def test_a_server_that_may_lose_something_is_refused(settings: tuple[str, ...]) -> None:
    """Also one that does not say."""
    with server(*settings) as own:
        error = await refusal(own.url)
        assert "strictly durable" in error.message and str(own.port) in error.message


async def test_what_was_accepted_survives_the_server() -> None:
    """Without a replica its disk is all there is to wait for."""
    with server(*CAREFUL) as own:
        async with strictly(own.url) as backend:
            await backend.tasks.add(new_task())
            own.kill()
            own.start()
            assert await insist(lambda: backend.tasks.get(TENANT, TaskId("t"))) == new_task()


async def test_a_server_that_became_careless_is_refused_at_the_next_connection() -> None:
    """It comes back with other settings; what is wanted of it does not change."""
    with server(*CAREFUL) as own:
        async with strictly(own.url) as backend:
            own.ask("CONFIG", "SET", "appendfsync", "everysec")
            own.ask("CLIENT", "KILL", "TYPE", "normal")
            with pytest.raises(Unavailable, match="appendfsync everysec"):
                await backend.ping()
            own.ask("CONFIG", "SET", "appendfsync", "always")
            await backend.ping()


# ------------------------------------------------------------------ strict: the replicas


@pytest.mark.recent
async def test_an_answer_means_that_a_replica_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the replica stopped nothing is answered, not even that something is there already; then all is."""
    monkeypatch.setattr(durability, "_WAIT", 1000)
    with pair(*CAREFUL) as (primary, replica):
        async with strictly(primary.url) as backend:
            await backend.tasks.add(new_task())
            replica.signal(signal.SIGSTOP)
            for _ in range(2):
                with pytest.raises(Unavailable, match="no replica had it"):
                    await backend.tasks.add(new_task("late"))
            assert await backend.tasks.get(TENANT, TaskId("late"))
            replica.signal(signal.SIGCONT)
            with pytest.raises(AlreadyExists):
                await insist(lambda: backend.tasks.add(new_task("late")))
            primary.kill()
        replica.ask("REPLICAOF", "NO", "ONE")
        async with strictly(replica.url) as backend:
            assert {task.id for task in await backend.tasks.list(TENANT, TaskQuery())} == {"t", "late"}


@pytest.mark.recent
async def test_watchers_hear_of_nothing_that_a_failover_may_take_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from the process that wrote it nor from another, which both read on; once it is kept, from both."""
    monkeypatch.setattr(durability, "_WAIT", 1000)
    with pair(*CAREFUL) as (primary, replica):
        async with strictly(primary.url) as backend, strictly(primary.url) as other:
            start, task = await other.log.start(), new_task()
            await backend.tasks.add(task, output(task, "0"))
            replica.signal(signal.SIGSTOP)
            with pytest.raises(Unavailable):
                await backend.tasks.replace(task, claimed(task), output(task, "1"), op="o")
            for each in (backend, other):
                async with asyncio.timeout(1):
                    assert len((await each.log.read(TOPIC, start)).records) == 1
            replica.signal(signal.SIGCONT)
            with other.notifier.listen(TOPIC) as bell:
                await insist(lambda: backend.tasks.replace(task, claimed(task), output(task, "1"), op="o"))
                while len((await other.log.read(TOPIC, start)).records) < 2:
                    assert await bell.wait(30 * SECOND)
            assert len((await backend.log.read(TOPIC, start)).records) == 2


@pytest.mark.recent
async def test_a_replica_without_a_log_is_found_out_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is accepted."""
    monkeypatch.setattr(durability, "_WAIT", 300)
    with pair("--appendonly", "no") as (primary, _):
        error = await refusal(primary.url)
        assert "replica" in error.message and "appendonly yes" in error.hint


@pytest.mark.recent
async def test_a_server_too_old_to_say_what_its_replicas_have_is_refused() -> None:
    """It is not taken for one whose replicas keep everything."""
    with pair(*CAREFUL, "--rename-command", "WAITAOF", "") as (primary, replica):
        async with strictly(primary.url):
            pass
        replica.ask("REPLICAOF", "NO", "ONE")
        primary.ask("REPLICAOF", "127.0.0.1", replica.port)
        wait_until(lambda: "'online'" in str(replica.ask("INFO", "replication")), "they have changed places")
        error = await refusal(replica.url)
    assert "WAITAOF" in error.message and "Redis 7.2" in error.hint


@pytest.mark.recent
async def test_a_lost_replica_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Writes go on, on one disk, unless the server has been told to refuse them then."""
    with pair(*CAREFUL) as (primary, replica):
        async with strictly(primary.url) as backend:
            replica.kill()
            wait_until(lambda: not primary.ask("INFO", "replication")["connected_slaves"], "the replica is gone")
            assert "no replica any more" not in caplog.text
            await backend.tasks.add(new_task())
            assert "no replica any more" in caplog.text
            primary.ask("CONFIG", "SET", "min-replicas-to-write", 1)
            with pytest.raises(Unavailable, match="without a replica"):
                await backend.tasks.add(new_task("other"))


async def test_a_server_that_takes_no_writes_is_not_ready() -> None:
    """Though it answers: whoever asks for readiness wants to write."""
    with server("--appendonly", "no") as own, pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes, "_PATIENCE", 0.2)
        async with open_backend(own.url) as backend:
            await backend.ping()
            own.ask("CONFIG", "SET", "min-replicas-to-write", 1)
            with pytest.raises(Unavailable, match="without a replica"):
                await backend.ping()


# ------------------------------------------------------------------ strict: every server of a cluster


async def test_every_master_is_looked_at() -> None:
    """One that may lose something is enough to refuse the cluster, wherever the first shard is."""
    with cluster() as own:
        async with strictly(fresh(own.url)) as backend:
            await backend.ping()
        for master in own.masters:
            master.ask("CONFIG", "SET", "appendfsync", "everysec")
            assert str(master.port) in (await refusal(fresh(own.url))).message
            master.ask("CONFIG", "SET", "appendfsync", "always")


@pytest.mark.recent
async def test_a_replica_that_takes_over_is_looked_at() -> None:
    """If it may lose something its shards take no writes until that is mended; the others go on."""
    with cluster(replicas=1) as own:
        url = fresh(own.url)
        codebases = [CodebaseId(f"cb{n}") for n in range(24)]
        async with strictly(url) as backend:
            heir = own.replicas[0]
            heir.ask("CONFIG", "SET", "appendfsync", "everysec")
            own.masters[0].kill()
            wait_until(lambda: heir.ask("INFO", "replication")["role"] == "master", "the replica takes over")
            adds = [backend.tasks.add(new_task(f"t-{codebase}", codebase=codebase)) for codebase in codebases]
            outcomes = await asyncio.gather(*adds, return_exceptions=True)  # each may be insisted on for seconds
            refused = [outcome for outcome in outcomes if outcome is not None]
            for error in refused:
                assert isinstance(error, Unavailable)
                assert "appendfsync everysec" in error.message and str(heir.port) in error.message
            assert 0 < len(refused) < len(codebases)
            heir.ask("CONFIG", "SET", "appendfsync", "always")
            adds = [
                insist(partial(backend.tasks.add, new_task(f"u-{codebase}", codebase=codebase)))
                for codebase in codebases
            ]
            await asyncio.gather(*adds)
