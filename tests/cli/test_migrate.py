"""``codetether migrate``: the schema brought up to date ahead of the servers, or only looked at."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.servers.postgres import PASSWORD, the_server


def test_what_is_pending_is_told_and_applied(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """``--check`` changes nothing, and its exit code says that there is something to do."""
    store = the_server().url(the_server().new_database())
    assert run("migrate", "--check", "--store", store) == 1
    assert capsys.readouterr().out.startswith("applied: none\npending: 0001")
    assert run("migrate", "--store", store) == 0
    assert "pending: none" in capsys.readouterr().out
    assert run("migrate", "--check", "--store", store, "--json") == 0
    assert json.loads(capsys.readouterr().out)["pending"] == []


def test_a_store_without_steps_says_so(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """It has nothing to migrate."""
    assert run("migrate", "--store", "memory://") == 0
    assert "whenever it is opened" in capsys.readouterr().out


def test_a_store_that_cannot_be_used_is_one_sentence(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the password."""
    assert run("migrate", "--store", the_server().url("no_such_database")) != 0
    said = capsys.readouterr().err
    assert "no_such_database" in said
    assert PASSWORD not in said
    assert "Traceback" not in said
