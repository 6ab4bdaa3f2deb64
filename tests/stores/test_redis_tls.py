"""Redis behind TLS, for a user who may do no more than our hint asks for: what works in clear works there too."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from anyio import CancelScope

from codetether_adapters.redis import open_backend
from codetether_adapters.redis.address import address
from codetether_adapters.redis.connecting import connection_to, hang_up
from codetether_core.events import Topic
from codetether_core.ids import CodebaseId
from contracts.ports import processes_contract
from contracts.ports.harness import OpenBackend
from contracts.ports.samples import SECOND, TENANT, new_task, output
from tests.servers.tls import Authority, gate
from tests.servers.valkey import Valkey, ValkeyCluster, fresh, own_server, wait_until

pytestmark = pytest.mark.anyio


@cache
def locked_up() -> tuple[str, ...]:
    """The shared server where it is reached with a certificate only, and the options for that."""
    stack = ExitStack()
    atexit.register(stack.close)
    directory = Path(stack.enter_context(TemporaryDirectory()))
    servers, clients = Authority(directory / "servers"), Authority(directory / "clients")
    port = stack.enter_context(gate(own_server().port, servers, clients=clients))
    certificate, key = clients.issue("us")
    allow(own_server())
    return f"rediss://narrow:pw@127.0.0.1:{port}/0", f"ca={servers.ca}", f"cert={certificate}", f"key={key}"


def allow(server: Valkey) -> None:
    """A user who has what our hint says that one needs."""
    few = ("+@all", "-@admin", "-@dangerous", "+info", "+config|get")
    server.ask("ACL", "SETUSER", "narrow", "reset", "on", ">pw", "~*", "&*", *few)


def share() -> OpenBackend:
    return partial(open_backend, fresh(*locked_up()))


TestProcesses = processes_contract(share)


async def test_what_was_hung_up_has_no_socket_left() -> None:
    """TLS takes its leave before a socket is closed, and whoever closes a store may end its loop at once."""
    where = address(fresh(*locked_up()))
    connection = connection_to(where, where.servers[0])
    await connection.connect()  # type: ignore[no-untyped-call]
    assert connection._writer is not None
    line = connection._writer.get_extra_info("socket")
    with CancelScope() as scope:
        scope.cancel()
        await hang_up(connection)
    assert line.fileno() == -1


async def test_a_cluster_is_spoken_to_in_tls_wherever_it_leads(tmp_path: Path) -> None:
    """Its servers tell where they are reached, and every one of them, and every bell, is."""
    authority, cluster = Authority(tmp_path / "authority"), ValkeyCluster()
    with ExitStack() as stack:
        stack.callback(cluster.close)
        cluster.start()
        gates = [stack.enter_context(gate(master.port, authority)) for master in cluster.masters]
        for master, port in zip(cluster.masters, gates, strict=True):
            allow(master)
            master.ask("CONFIG", "SET", "cluster-announce-port", port)
        for master in cluster.masters:
            wait_until(lambda: all(str(port) in str(master.ask("CLUSTER", "SLOTS")) for port in gates), "they tell")  # noqa: B023
        url = fresh(f"rediss+cluster://narrow:pw@127.0.0.1:{gates[0]}", f"ca={authority.ca}")
        async with open_backend(url) as writing, open_backend(url) as reading:
            start = await reading.log.head()
            tasks = [new_task(f"t{n}", codebase=CodebaseId(f"cb{n}")) for n in range(24)]
            with reading.notifier.listen(Topic(TENANT)) as bell:
                for task in tasks:
                    await writing.tasks.add(task, output(task, task.id))
                while len((await reading.log.read(Topic(TENANT), start)).records) < len(tasks):
                    assert await bell.wait(30 * SECOND)
