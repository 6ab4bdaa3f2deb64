"""``codetether token``."""

from __future__ import annotations

import json

import pytest

from codetether_adapters.client import Client
from codetether_core.errors import PermissionDenied, Unauthenticated
from tests.cli.conftest import Run


def test_a_token_is_printed_once_and_taken_back(run: Run, hub_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The secret alone on stdout, to be put into a variable; lists do not have it."""
    assert run("token", "create", "ci", "--scope", "tasks:read", "--expires", "1h") == 0
    token, told = capsys.readouterr()
    id = told.partition(":")[0]
    assert told == f"{id}: keep it, it is not told again\n" and token.startswith(f"ct_{id}.")
    with Client(hub_url, token=token.strip()) as client:
        client.tasks.list()
        with pytest.raises(PermissionDenied):
            client.tasks.run("p", title="t")
        assert run("token", "list") == 0
        listed = capsys.readouterr().out
        assert id in listed and "tasks:read" in listed and token.strip().rpartition(".")[2] not in listed
        assert run("token", "revoke", id) == 0
        assert capsys.readouterr().out == "revoked ci\n"
        with pytest.raises(Unauthenticated, match="revoked"):
            client.tasks.list()
    assert run("token", "list", "--json") == 0
    assert id not in [each["id"] for each in json.loads(capsys.readouterr().out)]
    assert run("token", "list", "--all", "--json") == 0
    assert id in [each["id"] for each in json.loads(capsys.readouterr().out)]


def test_a_worker_gets_one_of_its_own(run: Run, hub_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("token", "create", "laptop", "--worker", "wrk-laptop", "--json") == 0
    token = json.loads(capsys.readouterr().out)["token"]
    with Client(hub_url, token=token) as client:
        client.worker.register("wrk-laptop", "laptop")
        with pytest.raises(PermissionDenied, match="wrk-laptop alone"):
            client.worker.register("wrk-other", "other")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--expires", "soon"), "--expires must be a duration such as"),
        (("--worker", "w", "--scope", "tasks:read"), "--worker says what the token may do"),
        (("--scope", "tasks:fly"), "'tasks:fly', which is no permission"),
        (("--role", "root"), "roles: must be among"),
    ],
)
def test_what_makes_no_token(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run("token", "create", "n", *arguments) != 0
    assert said in capsys.readouterr().err


def test_all_of_somebodys_are_taken_back(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """One, or all of an owner's: which has to be said."""
    assert run("token", "create", "mine") == 0
    assert run("token", "revoke") == 2
    assert "all of --owner NAME" in capsys.readouterr().err
    assert run("token", "list", "--sign-ins", "--json") == 0
    owner = next(each["owner"] for each in json.loads(capsys.readouterr().out) if each["name"] == "mine")
    assert run("token", "revoke", "--owner", owner) == 0
    assert "mine" in capsys.readouterr().out
    assert run("token", "revoke", "--owner", owner) == 0
    assert "revoked nothing" in capsys.readouterr().out
