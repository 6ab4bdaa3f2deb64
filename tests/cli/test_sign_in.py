"""``codetether login``, ``logout``, ``whoami`` and ``account``."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from codetether_adapters.client import Client
from codetether_core.errors import Unauthenticated
from tests.cli.conftest import Run

PASSWORD = "correct horse"

Say = Callable[[str], None]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Type a line."""
    return lambda line: monkeypatch.setattr("sys.stdin", io.StringIO(f"{line}\n"))


@pytest.fixture
def named(run: Run, say: Say, tmp_path: Path) -> str:
    """The name of an account."""
    name = f"ann-{tmp_path.name}"
    say(PASSWORD)
    assert run("account", "add", name, "--role", "editor", "--password-stdin") == 0
    return name


def test_commands_act_as_who_signed_in(
    run: Run, say: Say, named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Until signing out; a token that is set goes before that."""
    say(PASSWORD)
    assert run("login", named, "--password-stdin") == 0
    kept = tmp_path / "data" / "sign-ins.json"
    assert kept.stat().st_mode & 0o777 == 0o600 and PASSWORD not in kept.read_text()
    capsys.readouterr()
    assert run("whoami", "--json") == 0
    assert json.loads(capsys.readouterr().out)["username"] != named
    monkeypatch.delenv("CODETETHER_TOKEN")
    assert run("whoami") == 0
    assert capsys.readouterr().out == f"{named} (editor) in the tenant default\n"
    (sign_in,) = json.loads(kept.read_text())
    assert run("logout") == 0
    assert json.loads(kept.read_text()) == []
    assert run("whoami") != 0
    with Client(sign_in["server"], token=sign_in["access_token"]) as client, pytest.raises(Unauthenticated):
        client.identity.show()
    assert run("logout") == 2
    assert "nobody is signed in" in capsys.readouterr().err


def test_a_sign_in_that_is_over_is_forgotten_all_the_same(
    run: Run, say: Say, named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And whose token counts from then on is said."""
    say(PASSWORD)
    assert run("login", named, "--password-stdin") == 0
    assert run("account", "change", named, "--role", "viewer") == 0
    capsys.readouterr()
    assert run("logout") == 0
    assert "codetether whoami" in capsys.readouterr().err
    assert json.loads((tmp_path / "data" / "sign-ins.json").read_text()) == []


def test_a_sign_in_is_renewed_when_its_time_is_nearly_over(
    run: Run, say: Say, named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And forgotten, with what to do, when it cannot be."""
    monkeypatch.delenv("CODETETHER_TOKEN")
    say(PASSWORD)
    assert run("login", named, "--password-stdin") == 0
    kept = tmp_path / "data" / "sign-ins.json"
    (first,) = json.loads(kept.read_text())
    kept.write_text(json.dumps([{**first, "expires_at": "2026-01-01T00:00:00Z"}]))
    assert run("whoami") == 0
    (second,) = json.loads(kept.read_text())
    assert second["access_token"] != first["access_token"] and second["expires_at"] > first["expires_at"][:10]
    kept.write_text(json.dumps([{**second, "expires_at": "2026-01-01T00:00:00Z", "refresh_token": "gone"}]))
    capsys.readouterr()
    assert run("whoami") != 0
    assert f"codetether login {named}" in capsys.readouterr().err
    assert json.loads(kept.read_text()) == []


def test_a_wrong_password_and_a_broken_file(
    run: Run, say: Say, named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    say("wrong")
    assert run("login", named, "--password-stdin") != 0
    assert "Name or password is wrong" in capsys.readouterr().err
    monkeypatch.delenv("CODETETHER_TOKEN")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sign-ins.json").write_text("{")
    assert run("whoami") == 2
    assert "remove it, and sign in again" in capsys.readouterr().err


def test_accounts_are_changed_and_removed(run: Run, say: Say, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("account", "change", named, "--disable", "--role", "viewer") == 0
    assert capsys.readouterr().out == f"{named} is disabled, as viewer\n"
    say(PASSWORD)
    assert run("login", named, "--password-stdin") != 0
    assert run("account", "change", named) == 2
    assert run("account", "change", named, "--enable") == 0
    capsys.readouterr()
    assert run("account", "list", "--json") == 0
    assert {"name": named, "roles": ["viewer"], "status": "enabled"}.items() <= next(
        each for each in json.loads(capsys.readouterr().out) if each["name"] == named
    ).items()
    assert run("account", "remove", named) == 0
    assert run("account", "remove", named) != 0
