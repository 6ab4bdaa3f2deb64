"""A store's keeper that cannot be: one sentence that names the setting, and the next step; and one that can."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import pytest
from attrs import frozen

from tests.cli.conftest import Run, Start
from tests.servers.postgres import PASSWORD, bound, new_store, the_server

STORE: Final = "CODETETHER_STORE"
KEEPER: Final = "CODETETHER_STORE_KEEPER"


@frozen
class Bad:
    """Addresses made of a store's, for tenants and for a keeper if there is one; what is said, the exit code."""

    store: Callable[[str], str]
    keeper: Callable[[str], str]
    message: str
    hint: str
    code: int = 2


def nobody(url: str) -> str:
    return ""


BAD: Final = {
    "a wrong password": Bad(
        bound,
        lambda url: the_server().url(url.rpartition("/")[2], password="secret-wrong"),
        "refuses the password of user codetether",
        f"storage.store, from environment {STORE}; storage.store_keeper, from environment {KEEPER}",
        code=1,
    ),
    "one login": Bad(
        str, str, f"storage.store (environment {STORE}) has the login codetether", "CREATE ROLE codetether_tenants"
    ),
    "exchanged": Bad(
        str,
        bound,
        f"storage.store_keeper (environment {KEEPER}) has the login codetether_tenants",
        "GRANT codetether TO",
    ),
    "none": Bad(
        bound, nobody, f"storage.store (environment {STORE}) has the login codetether_tenants", f"set {KEEPER}"
    ),
    "useless": Bad(
        lambda url: "memory://",
        str,
        f"storage.store_keeper (environment {KEEPER}) is of no use to a memory:// store",
        "let storage.store name a postgresql:// database",
    ),
}


@pytest.fixture
def given(request: pytest.FixtureRequest) -> tuple[Bad, dict[str, str]]:
    """What cannot be, and its settings."""
    bad, url = BAD[request.param], new_store()
    return bad, {STORE: bad.store(url), KEEPER: bad.keeper(url)}


@pytest.mark.parametrize("given", BAD, indirect=True)
def test_every_command_that_needs_the_store_says_the_same(
    given: tuple[Bad, dict[str, str]], run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The doctor says it too."""
    bad, settings = given
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for command in (["migrate"], ["migrate", "--check"], ["backup", "new.backup"]):
        assert run(*command) == bad.code
        assert_told(bad, capsys.readouterr().err)
    assert run("doctor", "--json") == 1
    (finding,) = (each for each in json.loads(capsys.readouterr().out) if each["check"] == "store")
    assert not finding["ok"]
    assert_told(bad, f"{finding['found']} {finding['hint']}")


@pytest.mark.parametrize("given", BAD, indirect=True)
def test_no_server_starts(given: tuple[Bad, dict[str, str]], start: Start) -> None:
    """It has served nobody."""
    bad, settings = given
    process = start(
        "server", "--port", "0", CODETETHER_LOG_LEVEL="error", CODETETHER_TOKENS="me:mine:admin", **settings
    )
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (bad.code, "")
    assert_told(bad, err)


def assert_told(bad: Bad, said: str) -> None:
    assert bad.message in said and bad.hint in said, said
    assert "Traceback" not in said and "secret-wrong" not in said and PASSWORD not in said, said


def test_the_doctor_and_the_settings_know_both_logins(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without their passwords; the steps are the keeper's to make."""
    keeper = the_server().url(the_server().new_database())
    monkeypatch.setenv(STORE, bound(keeper))
    monkeypatch.setenv(KEEPER, keeper)
    assert run("migrate") == 0
    assert "pending: none" in capsys.readouterr().out
    assert run("config", "show", "--origin") == 0
    told = capsys.readouterr().out
    run("doctor", "--json")
    (finding,) = (each for each in json.loads(capsys.readouterr().out) if each["check"] == "store")
    assert finding["ok"], finding
    place = keeper.rpartition("@")[2]
    assert f"codetether_tenants:***@{place}, kept by postgresql://codetether:***@{place}" in finding["found"]
    assert f"postgresql://codetether:***@{place}" in told and f"environment {KEEPER}" in told
    assert "a%3Apass" not in told + finding["found"]


def test_a_store_that_is_named_beside_the_settings_has_one_login(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keeper of another one is not its."""
    monkeypatch.setenv(STORE, bound(new_store()))
    monkeypatch.setenv(KEEPER, new_store())
    assert run("migrate", "--store", new_store()) == 0
    assert run("backup", "empty.backup", "--store", "memory://") == 0
