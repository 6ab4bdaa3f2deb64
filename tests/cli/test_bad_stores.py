"""A store that cannot be used: one sentence that names the setting, and the next step, whoever needs the store.

That a server of an old version is refused is tested where it can be pretended: ``tests/stores``.
"""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, TypeAlias

import psycopg
import pytest
from attrs import frozen

from codetether_adapters.redis import nodes
from tests.cli.conftest import Run, Start
from tests.servers.postgres import PASSWORD, new_store, the_server
from tests.servers.tls import Authority, gate
from tests.servers.valkey import Valkey, fresh, own_cluster, own_server

STORE: Final = "CODETETHER_STORE"


@frozen
class Bad:
    """A store that cannot be used: its address, words of what is said of it and of the next step, the exit code."""

    url: str
    message: str
    hint: str
    code: int = 1


Make: TypeAlias = Callable[[Path, ExitStack], Bad]


def valkey(stack: ExitStack, *settings: str) -> Valkey:
    own = Valkey(*settings)
    stack.callback(own.close)
    return own.start()


def nobody() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def redis_with_another_password(path: Path, stack: ExitStack) -> Bad:
    url = valkey(stack, "--requirepass", "right").url.replace("//", "//:secret-wrong@")
    return Bad(url, "invalid username-password pair", "the password in its address")


def redis_without_a_password(path: Path, stack: ExitStack) -> Bad:
    return Bad(valkey(stack, "--requirepass", "right").url, "Authentication required", "the password in its address")


def redis_that_is_not_there(path: Path, stack: ExitStack) -> Bad:
    return Bad(f"redis://127.0.0.1:{nobody()}/0", "does not answer: Connection refused", "start it, or look")


def redis_at_an_unknown_host(path: Path, stack: ExitStack) -> Bad:
    return Bad("redis://nowhere.invalid/0", "nowhere.invalid:6379 does not answer", "look at the address")


def redis_that_is_a_replica(path: Path, stack: ExitStack) -> Bad:
    url = valkey(stack, "--replicaof", f"127.0.0.1 {own_server().port}").url
    return Bad(url, "is a replica, which takes no writes", "name the primary server")


def redis_without_this_database(path: Path, stack: ExitStack) -> Bad:
    return Bad(own_server().url.replace("/0", "/99"), "no database of that number", "number at the end of its address")


def redis_with_a_key_of_the_wrong_type(path: Path, stack: ExitStack) -> Bad:
    key, url = _key("meta")
    own_server().ask("SET", key, "x")
    return Bad(url, f"something of another program at {key}", "add prefix=another", code=2)


def redis_with_data_of_a_newer_program(path: Path, stack: ExitStack) -> Bad:
    key, url = _key("meta")
    own_server().ask("HSET", key, "schema", 9, "min_reader", 9, "shards", 1, "epoch", "e")
    return Bad(url, "its data are of version 9", "install the newer release")


def redis_that_is_one_of_a_cluster(path: Path, stack: ExitStack) -> Bad:
    return Bad(own_cluster().masters[1].url, "names one server of a cluster", "write redis+cluster://", code=2)


def redis_whose_user_may_not(path: Path, stack: ExitStack) -> Bad:
    own = valkey(stack)
    own.ask("ACL", "SETUSER", "app", "on", ">pw", "~others:*", "&*", "+@all")
    url = own.url.replace("//", "//app:pw@")
    return Bad(url, "forbids its user something: No permissions to access a key", "allow PREFIX:* as keys")


def redis_with_a_certificate_of_another_authority(path: Path, stack: ExitStack) -> Bad:
    port = stack.enter_context(gate(own_server().port, Authority(path / "theirs")))
    url = fresh(f"rediss://127.0.0.1:{port}/0", f"ca={Authority(path / 'ours').ca}")
    return Bad(url, "in TLS: unable to get local issuer certificate", "look at ca, cert and key in its address")


def redis_with_a_certificate_for_another_host(path: Path, stack: ExitStack) -> Bad:
    authority = Authority(path / "theirs")
    port = stack.enter_context(gate(own_server().port, authority, host="192.0.2.1"))
    url = fresh(f"rediss://127.0.0.1:{port}/0", f"ca={authority.ca}")
    return Bad(url, "in TLS: IP address mismatch", "what the server's certificate is for")


def redis_that_wants_a_certificate(path: Path, stack: ExitStack) -> Bad:
    authority = Authority(path / "theirs")
    port = stack.enter_context(gate(own_server().port, authority, clients=authority))
    url = fresh(f"rediss://127.0.0.1:{port}/0", f"ca={authority.ca}")
    return Bad(url, "alert certificate required", "look at ca, cert and key in its address")


def redis_that_speaks_tls(path: Path, stack: ExitStack) -> Bad:
    port = stack.enter_context(gate(own_server().port, Authority(path / "theirs")))
    return Bad(fresh(f"redis://127.0.0.1:{port}/0"), "does not answer: Connection", "or write rediss://, if it speaks")


def redis_that_speaks_no_tls(path: Path, stack: ExitStack) -> Bad:
    return Bad(fresh(f"rediss://127.0.0.1:{own_server().port}/0"), "does not answer: Timeout", "it may speak no TLS")


def postgres_with_another_password(path: Path, stack: ExitStack) -> Bad:
    url = the_server().url(password="secret-wrong")
    return Bad(url, "refuses the password of user codetether", "correct the password in the store's address")


def postgres_that_is_not_there(path: Path, stack: ExitStack) -> Bad:
    url = f"postgresql://u:secret-wrong@127.0.0.1:{nobody()}/x"
    return Bad(url, "does not answer: Connection refused", "see that the server runs")


def postgres_without_this_database(path: Path, stack: ExitStack) -> Bad:
    return Bad(the_server().url("nowhere"), "has no database named nowhere", "create the database")


def postgres_that_only_reads(path: Path, stack: ExitStack) -> Bad:
    name = the_server().new_database()
    with the_server().administration() as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only TO on".encode())
    return Bad(the_server().url(name), "only reads", "name the primary server")


def postgres_with_data_of_a_newer_program(path: Path, stack: ExitStack) -> Bad:
    url = new_store()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE codetether.meta SET value = '99' WHERE name IN ('schema', 'min_reader')")
    return Bad(url, "its data are of version 99", "install the newer release")


def postgres_with_our_schema_of_another_program(path: Path, stack: ExitStack) -> Bad:
    url = the_server().url(the_server().new_database())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA codetether")
        connection.execute("CREATE TABLE codetether.migrations (name text)")
    return Bad(url, "a schema codetether of another program", "name another database")


def sqlite_that_is_no_database(path: Path, stack: ExitStack) -> Bad:
    (path / "notes").write_text("no database, and long enough to be sure of it\n" * 100)
    return Bad(f"sqlite://{path}/notes", f"{path}/notes failed: file is not a database", "name another file")


def sqlite_of_another_program(path: Path, stack: ExitStack) -> Bad:
    with closing(sqlite3.connect(path / "theirs.db")) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    return Bad(f"sqlite://{path}/theirs.db", "is a database of another program", "name another file")


def sqlite_with_data_of_a_newer_program(path: Path, stack: ExitStack) -> Bad:
    with closing(sqlite3.connect(path / "new.db")) as connection:
        connection.executescript(
            f"PRAGMA application_id = {int.from_bytes(b'CTet')}; CREATE TABLE meta (name, value);"
            "INSERT INTO meta VALUES ('schema', 99), ('min_reader', 99)"
        )
    return Bad(f"sqlite://{path}/new.db", "its data are of version 99", "install the newer release")


def sqlite_below_a_file(path: Path, stack: ExitStack) -> Bad:
    (path / "file").write_text("")
    return Bad(f"sqlite://{path}/file/below/x.db", f"{path}/file is no directory", "name another data directory")


def sqlite_that_is_a_directory(path: Path, stack: ExitStack) -> Bad:
    return Bad(f"sqlite://{path}", f"names the directory {path}", f"sqlite://{path}/codetether.db", code=2)


def a_store_that_nobody_knows(path: Path, stack: ExitStack) -> Bad:
    return Bad("mongodb://u:secret-wrong@h/x", "which no installed adapter knows", "there are memory,", code=2)


BAD: Final[tuple[Make, ...]] = (
    redis_with_another_password,
    redis_without_a_password,
    redis_that_is_not_there,
    redis_at_an_unknown_host,
    redis_that_is_a_replica,
    redis_without_this_database,
    redis_with_a_key_of_the_wrong_type,
    redis_with_data_of_a_newer_program,
    redis_that_is_one_of_a_cluster,
    redis_whose_user_may_not,
    redis_with_a_certificate_of_another_authority,
    redis_with_a_certificate_for_another_host,
    redis_that_wants_a_certificate,
    redis_that_speaks_tls,
    redis_that_speaks_no_tls,
    postgres_with_another_password,
    postgres_that_is_not_there,
    postgres_without_this_database,
    postgres_that_only_reads,
    postgres_with_data_of_a_newer_program,
    postgres_with_our_schema_of_another_program,
    sqlite_that_is_no_database,
    sqlite_of_another_program,
    sqlite_with_data_of_a_newer_program,
    sqlite_below_a_file,
    sqlite_that_is_a_directory,
    a_store_that_nobody_knows,
)


STARTED: Final = (
    redis_with_another_password,
    redis_that_is_not_there,
    redis_with_a_key_of_the_wrong_type,
    redis_with_data_of_a_newer_program,
    redis_that_wants_a_certificate,
    postgres_that_is_not_there,
    postgres_without_this_database,
    sqlite_below_a_file,
    a_store_that_nobody_knows,
)
"""Those that a server is started with: one for each way to be refused."""


@pytest.fixture
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bad]:
    make: Make = request.param
    with ExitStack() as stack:
        (tmp_path / "bad").mkdir()
        yield make(tmp_path / "bad", stack)


@pytest.mark.parametrize("bad", STARTED, ids=lambda make: make.__name__, indirect=True)
def test_no_server_starts(bad: Bad, start: Start) -> None:
    """It ends with one sentence, having served nobody."""
    settings = {STORE: bad.url, "CODETETHER_TOKENS": "me:mine:admin"}
    process = start("server", "--port", "0", CODETETHER_LOG_LEVEL="error", **settings)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (bad.code, "")
    assert_told(bad, err)
    assert err.startswith("codetether: ") and err.count("\n") == 1, err


@pytest.mark.parametrize("bad", BAD, ids=lambda make: make.__name__, indirect=True)
def test_every_command_that_needs_the_store_says_the_same(
    bad: Bad, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And leaves nothing behind; the doctor says it too."""
    monkeypatch.setattr(nodes, "_PATIENCE", 0.2)
    assert run("backup", "empty.backup", "--store", "memory://") == 0
    monkeypatch.setenv(STORE, bad.url)
    capsys.readouterr()
    for command in (["migrate", "--check"], ["backup", "new.backup"], ["restore", "empty.backup"]):
        assert run(*command) == bad.code
        out, err = capsys.readouterr()
        assert not out
        assert_told(bad, err)
        assert err.startswith("codetether: ") and err.count("\n") == 2, err
    assert not (tmp_path / "new.backup").exists()
    assert run("doctor", "--json") == 1
    (finding,) = (each for each in json.loads(capsys.readouterr().out) if each["check"] == "store")
    assert not finding["ok"]
    assert_told(bad, f"{finding['found']} {finding['hint']}")


def assert_told(bad: Bad, said: str) -> None:
    assert bad.message in said and bad.hint in said and f"environment {STORE}" in said, said
    assert "Traceback" not in said and "secret-wrong" not in said and PASSWORD not in said, said


@pytest.mark.parametrize("command", ["up", "server", "worker"])
def test_a_data_directory_that_is_a_file(command: str, start: Start, tmp_path: Path) -> None:
    """Nothing to be made writable: it is the wrong thing."""
    (tmp_path / "file").write_text("")
    port = () if command == "worker" else ("--port", "0")
    process = start(command, *port, CODETETHER_DATA_DIR=str(tmp_path / "file"))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert err.startswith("codetether: ") and err.count("\n") == 1, err
    assert f"{tmp_path}/file is no directory" in err and "name another" in err


def test_a_healthy_store_has_nothing_to_tell(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first start, and after it, on every store."""
    for url in ("", fresh(own_server().url), fresh(own_cluster().url), new_store()):
        monkeypatch.setenv(STORE, url)
        for state in ("made at the first start", ""):
            run("doctor", "--json")
            (finding,) = (each for each in json.loads(capsys.readouterr().out) if each["check"] == "store")
            assert finding["ok"] and (state in finding["found"] or url.startswith("postgres")), finding
            assert PASSWORD not in finding["found"]
            assert run("migrate") == 0
            assert "pending: none" in capsys.readouterr().out


def _key(name: str) -> tuple[str, str]:
    """A key of a new store, and its address."""
    url = fresh(own_server().url)
    return f"{url.rpartition('prefix=')[2]}:{{00}}:{name}", url
