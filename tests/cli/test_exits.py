"""Exit codes, and the sentence that goes with them."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from codetether_apps.cli.exits import EXITS
from tests.cli.conftest import Run
from tests.client.servers import Reply, Script, nobody, serving


def problem(status: int, code: str) -> Reply:
    return Reply(status=status, json={"code": code, "detail": "No.", "hint": "try later"})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (problem(401, "unauthenticated"), 3),
        (problem(403, "permission_denied"), 4),
        (problem(404, "task_not_found"), 7),
        (problem(409, "conflict"), 8),
        (problem(422, "invalid_request"), 2),
        (problem(500, "internal"), 6),
        (Reply(body=b"<html>"), 6),
        (Reply(status=418, json={}), 6),
    ],
)
def test_every_refusal_has_its_exit_code(run: Run, reply: Reply, expected: int) -> None:
    with serving(Script([reply])) as url:
        assert run("task", "show", "tsk_1", "--server", url) == expected


def test_an_unreachable_server_is_named_with_the_next_step(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    url = nobody()
    assert run("task", "list", "--server", url) == 5
    printed = capsys.readouterr()
    assert not printed.out
    message, hint = printed.err.splitlines()
    assert message.startswith(f"codetether: Cannot connect to {url}")
    assert hint.startswith("  → ")


def test_errors_are_json_with_json(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Script([problem(403, "permission_denied")])) as url:
        assert run("task", "list", "--server", url, "--json") == 4
    printed = capsys.readouterr()
    assert not printed.out
    assert json.loads(printed.err) == {"code": "permission_denied", "message": "No.", "hint": "try later"}


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [(["taks"], "task"), (["task", "lits"], "list"), (["approvals"], "approval"), (["codebase", "delete"], "")],
)
def test_a_mistyped_command_suggests_the_nearest(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: Iterable[str], suggestion: str
) -> None:
    assert run(*arguments) == 2
    told = capsys.readouterr().err
    assert (f"Did you mean {suggestion!r}?" in told) == bool(suggestion)


def test_a_mistyped_option_suggests_the_nearest(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("task", "list", "--statsu", "running") == 2
    assert "--status" in capsys.readouterr().err


def test_help_documents_every_exit_code(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    told = capsys.readouterr().out
    assert all(f"{code:>3}  {meaning}" in told for code, meaning in EXITS.items())


def test_the_token_of_the_data_directory_is_for_this_machine_only(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CODETETHER_TOKEN")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "token").write_text("kept-token\n")
    script = Script([Reply(json=[])])
    with serving(script) as url:
        assert run("task", "list", "--server", url) == 0
        monkeypatch.setattr("codetether_apps.settings.local_token.is_loopback", lambda host: False)
        assert run("task", "list", "--server", url) == 0
    assert script.heard[0].headers["authorization"] == "Bearer kept-token"
    assert "authorization" not in script.heard[1].headers


def test_a_token_file_comes_before_everything(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine\n")
    script = Script([Reply(json=[])])
    with serving(script) as url:
        assert run("task", "list", "--server", url, "--token-file", "mine") == 0
    assert script.heard[0].headers["authorization"] == "Bearer mine"
    assert run("task", "list", "--token-file", "absent") == 2
    assert "absent" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "code", "hint", "step"),
    [
        (401, "unauthenticated", "send Authorization: Bearer", "codetether login NAME"),
        (404, "task_not_found", "", "codetether task list"),
        (404, "agent_not_found", "GET /v1/agent/agents", "codetether agent list"),
        (404, "codebase_not_found", "known are: app", "known are: app"),
    ],
)
def test_the_next_step_is_a_command(
    run: Run, capsys: pytest.CaptureFixture[str], status: int, code: str, hint: str, step: str
) -> None:
    with serving(Script([Reply(status=status, json={"code": code, "detail": "No.", "hint": hint})])) as url:
        run("task", "show", "tsk_1", "--server", url)
    assert f"  → {step}" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("config",), ("task",)])
def test_a_group_alone_shows_its_help_and_nothing_else(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.startswith("Usage: codetether")
    assert printed.err.count("Usage:") == 1
