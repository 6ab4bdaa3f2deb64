"""Our programs, with their secrets in a real vault."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

from tests.e2e.line import line_to
from tests.e2e.programs import until
from tests.secrets.conftest import Launch
from tests.secrets.kept import CLOSED, SERVER, Secrets, url_of
from tests.servers.tls import Authority, gate


@pytest.mark.parametrize("entry", ["server", "standalone"])
def test_its_tokens_and_its_store_are_in_the_vault(
    launch: Launch, secrets: Secrets, tmp_path: Path, entry: str
) -> None:
    """Whoever has the token is let in, and nothing tells what it is."""
    settings = secrets.settings(tmp_path, CODETETHER_STORE=secrets.at("store"), CODETETHER_LOG_LEVEL="debug")
    program = launch(tmp_path / "log", settings, "-m", f"codetether_apps.{entry}", "--port", "0")
    url = url_of(program)
    for token, status in ((secrets.token, 200), ("another", 401)):
        head = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{url}/v1/agent/tasks", headers=head).status_code == status
    assert (tmp_path / "kept.db").exists()
    program.signal(signal.SIGTERM)
    assert program.wait() == 0, program.said
    assert secrets.absent_from(program.said)


def test_over_tls_with_an_authority_of_ones_own(launch: Launch, secrets: Secrets, tmp_path: Path) -> None:
    """Only whom that authority vouches for is shown how we sign in."""
    authority, other = Authority(tmp_path / "ca"), Authority(tmp_path / "other")
    with gate(secrets.vault.port, authority) as port:
        address = f"https://127.0.0.1:{port}"
        trusting = secrets.settings(tmp_path, address, CODETETHER_VAULT_CA=str(authority.ca))
        url_of(launch(tmp_path / "log", trusting, *SERVER))
        wary = secrets.settings(tmp_path / "wary", address, CODETETHER_VAULT_CA=str(other.ca))
        program = launch(tmp_path / "wary.log", wary, *SERVER)
        until(lambda: "secrets_unavailable" in program.said, "the complaint")
        assert "CERTIFICATE_VERIFY_FAILED" in program.said
    wrong = {**trusting, "CODETETHER_VAULT_CA": str(tmp_path / "nowhere.pem")}
    program = launch(tmp_path / "wrong.log", wrong, *SERVER)
    assert program.wait() == 2
    assert "vault.ca (environment CODETETHER_VAULT_CA)" in program.said


def test_a_worker_has_its_token_from_there(launch: Launch, secrets: Secrets, tmp_path: Path) -> None:
    """It may know nothing of the server's secrets."""
    url = url_of(launch(tmp_path / "server.log", secrets.settings(tmp_path), *SERVER))
    settings = secrets.settings(
        tmp_path / "worker", CODETETHER_SERVER=url, CODETETHER_TOKEN=secrets.at("token"), CODETETHER_STORE="vault:a/b#c"
    )
    worker = launch(tmp_path / "worker.log", settings, "-m", "codetether_apps.worker", "--name", "kept")
    head = {"Authorization": f"Bearer {secrets.token}"}
    until(lambda: "kept" in httpx.get(f"{url}/v1/agent/workers", headers=head).text, "the worker")
    command = launch(tmp_path / "command.log", settings, "-m", "codetether_apps.cli", "worker", "--help")
    assert command.wait() == 0
    command = launch(tmp_path / "list.log", settings, "-m", "codetether_apps.cli", "task", "list")
    assert command.wait() == 0, command.said
    assert secrets.absent_from(worker.said)


@pytest.mark.parametrize("entry", ["server", "standalone", "worker"])
def test_a_vault_that_comes_later(launch: Launch, secrets: Secrets, tmp_path: Path, entry: str) -> None:
    """The program says what it waits for, is not ready, and goes on by itself."""
    with line_to(CLOSED) as line:
        settings = secrets.settings(tmp_path, line.url, CODETETHER_TOKEN=secrets.at("token"))
        port = () if entry == "worker" else ("--port", "0")
        program = launch(tmp_path / "log", settings, "-m", f"codetether_apps.{entry}", *port)
        until(lambda: "secrets_unavailable" in program.said, "the complaint")
        assert program.process.poll() is None
        assert f'"address": "{line.url}"' in program.said
        assert "CODETETHER_VAULT_ADDR" in program.said
        assert "listening" not in program.said and "working" not in program.said
        line.port = secrets.vault.port
        until(lambda: "secrets_back" in program.said, "the vault")
        until(lambda: "listening" in program.said or "working" in program.said, "the start")
        assert program.said.count("secrets_unavailable") == 1
    if entry != "worker":
        assert httpx.get(f"{url_of(program)}/readyz").status_code == 200
    assert secrets.absent_from(program.said)


def test_it_stays_signed_in(launch: Launch, secrets: Secrets, tmp_path: Path) -> None:
    """For as long as it lives."""
    secrets.role = secrets.vault.role(token_ttl="12s")
    program = launch(tmp_path / "log", secrets.settings(tmp_path), *SERVER)
    url_of(program)
    until(lambda: any("last_renewal" in each for each in secrets.vault.issued(secrets.role)), "the renewal")
    assert "loop_failed" not in program.said


@pytest.mark.parametrize("entry", ["server", "standalone", "worker"])
def test_it_leaves_while_it_waits(launch: Launch, secrets: Secrets, tmp_path: Path, entry: str) -> None:
    """Nothing is wrong with that."""
    with line_to(CLOSED) as line:
        settings = secrets.settings(tmp_path, line.url, CODETETHER_TOKEN=secrets.at("token"), CODETETHER_PORT="0")
        program = launch(tmp_path / "log", settings, "-m", f"codetether_apps.{entry}")
        until(lambda: "secrets_unavailable" in program.said, "the complaint")
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
    assert "codetether: asked to leave before the vault" in program.said
    assert "Traceback" not in program.said


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("vault:secret/{path}#tokns", "has no text under tokns: it has store, token, tokens"),
        ("vault:secret/{path}x#tokens", "Secret not found: put it there"),
        ("vault:nowhere/{path}#tokens", "does not let us read it: its policies must let us read nowhere/data/"),
        ("vault:secret/{path}#token", "must be name:token"),
    ],
)
def test_a_secret_that_there_is_not(
    launch: Launch, secrets: Secrets, tmp_path: Path, reference: str, words: str
) -> None:
    """That is a mistake in the settings: which one, where it was made, what to do."""
    reference = reference.format(path=secrets.path)
    program = launch(tmp_path / "log", secrets.settings(tmp_path, CODETETHER_TOKENS=reference), *SERVER)
    assert program.wait() == 2
    assert program.said.startswith("codetether: auth.tokens (") and program.said.count("\n") == 1, program.said
    assert reference in program.said and "environment CODETETHER_TOKENS" in program.said
    assert words in program.said
    assert secrets.absent_from(program.said) and not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"CODETETHER_VAULT_ADDR": ""}, "set CODETETHER_VAULT_ADDR"),
        ({"CODETETHER_VAULT_ROLE_ID": "", "VAULT_TOKEN": ""}, "nothing says how to sign in there"),
        ({"CODETETHER_VAULT_SECRET_ID": "wr0ng"}, "does not let us in by AppRole"),
        ({"CODETETHER_VAULT_KUBERNETES_ROLE": "app"}, "are both set"),
        ({"CODETETHER_VAULT_ADDR": "https://me:wr0ng@127.0.0.1:1"}, "must be http:// or https:// and a host"),
        ({"CODETETHER_VAULT_ROLE_ID": "", "VAULT_TOKEN": "wr0ng"}, "its policies must let us read"),
    ],
)
def test_a_vault_that_cannot_be_used(
    launch: Launch, secrets: Secrets, tmp_path: Path, change: dict[str, str], words: str
) -> None:
    program = launch(tmp_path / "log", {**secrets.settings(tmp_path), "VAULT_ADDR": "", **change}, *SERVER)
    assert program.wait() == 2
    assert words in program.said and program.said.count("\n") == 1, program.said
    assert "wr0ng" not in program.said


def test_commands_that_open_the_store(launch: Launch, secrets: Secrets, tmp_path: Path) -> None:
    """They read it from there too, and do not wait for a vault that is away."""
    settings = secrets.settings(tmp_path, CODETETHER_STORE=secrets.at("store"))
    for words in (("migrate",), ("backup", str(tmp_path / "copy"))):
        program = launch(tmp_path / f"{words[0]}.log", settings, "-m", "codetether_apps.cli", *words)
        assert program.wait() == 0, program.said
        with line_to(CLOSED) as line:
            away = {**settings, "CODETETHER_VAULT_ADDR": line.url}
            program = launch(tmp_path / f"{words[0]}-away.log", away, "-m", "codetether_apps.cli", *words)
            assert program.wait() == 6, program.said
            assert f"The vault at {line.url} does not answer" in program.said
    assert (tmp_path / "kept.db").exists() and (tmp_path / "copy").exists()


def test_showing_the_settings_asks_nobody(launch: Launch, secrets: Secrets, tmp_path: Path) -> None:
    settings = secrets.settings(tmp_path, "http://127.0.0.1:1")
    program = launch(tmp_path / "log", settings, "-m", "codetether_apps.cli", "config", "show", "--origin")
    assert program.wait() == 0
    assert f"{secrets.at('tokens')}" in program.said
    assert "environment CODETETHER_TOKENS" in program.said
    assert secrets.absent_from(program.said)
