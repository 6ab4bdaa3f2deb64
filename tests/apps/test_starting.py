"""A start that cannot be: one sentence with the next step on stderr, no traceback, an exit code."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.apps.conftest import Launch
from tests.e2e.programs import Program, until
from tests.servers.postgres import new_store
from tests.servers.valkey import Valkey

SERVER = ("-m", "codetether_apps.server", "--port", "0")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def refused(launch: Launch, directory: Path, *command: str, **settings: str) -> tuple[int, str]:
    """How the program ends, and what it says."""
    program = launch(directory / "log", {"CODETETHER_DATA_DIR": str(directory / "data"), **settings}, *command)
    return program.wait(), program.said


def one_sentence(said: str) -> bool:
    """Whether it is what a person can act on."""
    return said.startswith("codetether: ") and said.count("\n") == 1


def test_a_taken_port(launch: Launch, tmp_path: Path, taken: int) -> None:
    """It is named, and how to choose another."""
    code, said = refused(launch, tmp_path, "-m", "codetether_apps.server", "--port", str(taken))
    assert code == 1
    assert one_sentence(said), said
    assert f"port {taken}" in said
    assert "--port" in said


@pytest.mark.parametrize("entry", ["server", "standalone"])
def test_a_second_one_on_the_same_data_directory(launch: Launch, tmp_path: Path, entry: str) -> None:
    """One process owns an SQLite file; the second says which file, and changes nothing."""
    first = launch(tmp_path / "first.log", {"CODETETHER_DATA_DIR": str(tmp_path / "data")}, *SERVER)
    url = until(lambda: _url(first), "the first one's start")
    # Its port is taken as well, which is not what has to be told.
    code, said = refused(launch, tmp_path, "-m", f"codetether_apps.{entry}", "--port", url.rpartition(":")[2])
    assert code == 1
    assert one_sentence(said), said
    assert "codetether.db" in said
    assert "another CodeTether process" in said


@pytest.mark.parametrize("entry", ["server", "standalone", "worker"])
def test_a_data_directory_that_cannot_be_written(launch: Launch, tmp_path: Path, entry: str) -> None:
    """Root may write anywhere but here."""
    port = () if entry == "worker" else ("--port", "0")
    code, said = refused(
        launch, tmp_path, "-m", f"codetether_apps.{entry}", *port, CODETETHER_DATA_DIR="/proc/codetether"
    )
    assert code == 1
    assert one_sentence(said), said
    assert "/proc/codetether" in said


def test_authentication_off_for_everybody(launch: Launch, tmp_path: Path) -> None:
    """Only loopback may be open."""
    code, said = refused(launch, tmp_path, *SERVER, "--host", "0.0.0.0", CODETETHER_AUTH="off")
    assert code == 2
    assert one_sentence(said), said
    assert "environment CODETETHER_AUTH" in said


def test_authentication_off_on_loopback_is_said_loudly(launch: Launch, tmp_path: Path) -> None:
    """It works, and the log has a warning."""
    program = launch(tmp_path / "log", {"CODETETHER_DATA_DIR": str(tmp_path), "CODETETHER_AUTH": "off"}, *SERVER)
    until(lambda: "listening" in program.said, "the start")
    assert "authentication_off" in program.said


@pytest.mark.parametrize("entry", ["server", "standalone", "worker"])
def test_what_the_start_says_of_the_settings(launch: Launch, tmp_path: Path, entry: str) -> None:
    """A misspelt variable, and tokens that may more than was perhaps meant, once each; and what a worker can run."""
    settings = {
        "CODETETHER_DATA_DIR": str(tmp_path),
        "CODETETHER_STOER": "memory://",
        "CODETETHER_TOKENS": "ci:secret-1,dev:secret:2,ann:secret-3:admin",
    }
    port = () if entry == "worker" else ("--port", "0")
    program = launch(tmp_path / "log", settings, "-m", f"codetether_apps.{entry}", *port)
    until(lambda: "working" in program.said or "listening" in program.said, "the start")
    assert program.said.count('"CODETETHER_STOER": "CODETETHER_STORE"') == 1
    if entry != "worker":
        assert '"names": ["ci", "dev"], "roles": ["editor", "worker"]' in program.said
    if entry != "server":
        assert '"agents": ["echo", "noop", "register_codebase"]' in program.said
    assert "secret" not in program.said


@pytest.mark.parametrize(
    ("store", "hint"),
    [("mongodb://localhost/x", "sqlite"), ("sqlite:relative.db", "scheme"), ("sqlite://relative.db", "absolute")],
)
def test_a_store_that_nobody_knows(launch: Launch, tmp_path: Path, store: str, hint: str) -> None:
    """The sentence says which there are, or how it is written."""
    code, said = refused(launch, tmp_path, *SERVER, CODETETHER_STORE=store)
    assert code == 2
    assert one_sentence(said), said
    assert "environment CODETETHER_STORE" in said
    assert hint in said


def test_strict_durability_of_a_store_that_keeps_nothing(launch: Launch, tmp_path: Path) -> None:
    """It is no use to ask memory for that; SQLite keeps everything in any case."""
    code, said = refused(launch, tmp_path, *SERVER, "--strict-durability", CODETETHER_STORE="memory://")
    assert code == 2
    assert one_sentence(said), said
    assert "storage.strict_durability (flag --strict-durability)" in said
    assert "memory://" in said
    data = {"CODETETHER_DATA_DIR": str(tmp_path / "data"), "CODETETHER_STRICT_DURABILITY": "on"}
    program = launch(tmp_path / "other.log", data, *SERVER)
    until(lambda: "listening" in program.said, "the start")


@pytest.mark.parametrize(
    ("store", "notifier", "hint"),
    [
        ("postgresql://nobody@localhost:1/x", "amqp://localhost", "there are redis, redis+cluster, rediss"),
        ("memory://", "redis://localhost", "postgresql://"),
        ("sqlite:///{directory}/data/x.db", "redis://localhost", "postgresql://"),
        ("faulty+sqlite:///{directory}/data/x.db", "redis://localhost", "postgresql://"),
        ("redis://localhost:1", "redis://localhost", "postgresql://"),
    ],
)
def test_a_notifier_that_cannot_be(launch: Launch, tmp_path: Path, store: str, notifier: str, hint: str) -> None:
    """Nobody knows it, or the store has no use for one: it is said before anything is opened."""
    settings = {"CODETETHER_STORE": store.format(directory=tmp_path), "CODETETHER_NOTIFIER": notifier}
    code, said = refused(launch, tmp_path, *SERVER, **settings)
    assert code == 2
    assert one_sentence(said), said
    assert "storage.notifier (environment CODETETHER_NOTIFIER)" in said
    assert hint in said
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("variables", [("CODETETHER_STORE", "CODETETHER_NOTIFIER"), ("DATABASE_URL", "A2A_REDIS_URL")])
def test_a_notifier_that_lets_nobody_in(launch: Launch, tmp_path: Path, variables: tuple[str, str]) -> None:
    """Its password is wrong, an option is another program's, or nobody is there; this setting is named alone."""
    store, notifier = variables
    locked = Valkey("--requirepass", "right").start()
    url = locked.url.replace("//", "//:wrong@")
    given = {store: new_store(), "CODETETHER_TOKENS": "me:secret", "CODETETHER_LOG_LEVEL": "error"}
    try:
        for address, code, words in (
            (url, 1, "correct the user and the password"),
            (f"{url}?timeout=3", 2, "options that are not known: timeout"),
            (locked.url.replace(str(locked.port), "1"), 1, "start it"),
        ):
            (tmp_path / "log").unlink(missing_ok=True)
            assert (found := refused(launch, tmp_path, *SERVER, **given, **{notifier: address}))[0] == code
            assert one_sentence(found[1]), found[1]
            assert "storage.notifier" in found[1] and f"environment {notifier}" in found[1]
            assert "storage.store" not in found[1]
            assert words in found[1]
            assert "wrong@" not in found[1]
    finally:
        locked.close()


def test_an_unknown_setting_in_the_file(launch: Launch, tmp_path: Path) -> None:
    """The nearest known name is offered."""
    (tmp_path / "codetether.toml").write_text("[server]\nprot = 1\n")
    code, said = refused(launch, tmp_path, *SERVER, "--config", str(tmp_path / "codetether.toml"))
    assert code == 2
    assert "server.port" in said


def test_a_worker_whose_token_nobody_knows(launch: Launch, tmp_path: Path) -> None:
    """It does not go on asking."""
    server = launch(tmp_path / "server.log", {"CODETETHER_DATA_DIR": str(tmp_path / "data")}, *SERVER)
    url = until(lambda: _url(server), "the server's start")
    code, said = refused(
        launch, tmp_path, "-m", "codetether_apps.worker", "--server", url, CODETETHER_DATA_DIR=str(tmp_path / "worker")
    )
    assert code == 3
    assert "codetether: " in said


def test_the_first_start_makes_a_token_and_tells_only_its_file(launch: Launch, tmp_path: Path) -> None:
    """A log is no place for a token; the next start finds the same one."""
    data = tmp_path / "data"
    for _ in range(2):
        program = launch(tmp_path / "log", {"CODETETHER_DATA_DIR": str(data)}, *SERVER)
        until(partial(_url, program), "the start")
        program.kill()
        (tmp_path / "log").rename(tmp_path / "said")
    token = (data / "token").read_text().strip()
    said = (tmp_path / "said").read_text()
    assert (data / "token").stat().st_mode & 0o777 == 0o600
    assert len(token) >= 32
    assert token not in said
    assert str(data / "token") in said


def _url(server: Program) -> str:
    found = server.said.rpartition('"url": "')[2]
    return found.partition('"')[0] if '"' in found else ""
