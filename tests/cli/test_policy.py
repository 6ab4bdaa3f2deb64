"""``codetether policy test``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run, Start
from tests.contracts.policy import AGENT_CASES, CASES, MATRIX
from tests.policy.opa import opa_server

REGO = "package codetether.authz\nimport rego.v1\ndefault allow := false\n"


@pytest.mark.parametrize("policy", ["rego", "roles"])
def test_the_shipped_policies_decide_as_the_contract_says(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], policy: str
) -> None:
    monkeypatch.setenv("CODETETHER_POLICY", policy)
    assert run("policy", "test", str(ROOT / "contracts/policy/cases.json")) == 0
    assert capsys.readouterr().out == f"{len(CASES) + len(AGENT_CASES)} cases, 0 decided otherwise\n"
    assert run("policy", "test", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {permission: frozenset(roles) for permission, roles in told.items()} == MATRIX


def test_what_agents_may_do_is_tried_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """By decision, and by rule where one is named."""
    (tmp_path / "mine.rego").write_text(
        'package codetether.agent\nimport rego.v1\nverdict := {"decision": "deny", "rule": "mine"} if '
        'input.tool.name == "rm"'
    )
    (tmp_path / "authz.rego").write_text(REGO)
    wishes = [
        {"tool": {"name": "rm"}, "decision": "deny"},
        {"tool": {"name": "rm"}, "decision": "deny", "rule": "yours", "name": "whose"},
        {"tool": {"name": "ls", "kind": "execute", "command": "ls"}, "decision": "allow"},
    ]
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps({"agents": wishes}))
    monkeypatch.setenv("CODETETHER_POLICY", f"file://{tmp_path}")
    assert run("policy", "test", str(cases)) == 1
    assert capsys.readouterr().out == (
        "whose: deny (mine), not deny (yours)\nls: ask, not allow\n3 cases, 2 decided otherwise\n"
    )
    assert run("policy", "test", str(cases), "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [(each["tool"]["name"], each["decided"]) for each in told] == [("rm", "deny (mine)"), ("ls", "ask")]


def test_a_policy_of_ones_own(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A file, a directory of files, or a server's."""
    (tmp_path / "mine").mkdir()
    mine = tmp_path / "mine" / "mine.rego"
    mine.write_text(f'{REGO}allow if "viewer" in input.principal.roles')
    cases = tmp_path / "cases.json"
    case = {"name": "a guest", "roles": ["guest"], "permission": "tasks:read", "allow": True}
    cases.write_text(json.dumps({"matrix": {"tasks:write": ["viewer"]}, "cases": [case]}))
    with opa_server({"mine.rego": mine.read_text()}) as server:
        for policy in (f"file://{mine}", f"file://{mine.parent}", f"opa+{server.url}"):
            monkeypatch.setenv("CODETETHER_POLICY", policy)
            assert run("policy", "test", str(cases)) == 1
            assert capsys.readouterr().out == "a guest: refused, not allowed\n7 cases, 1 decided otherwise\n"


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("nonsense", "rego, roles, file:///PATH or opa+http://HOST:PORT"),
        ("file:///nowhere/x.rego", "names /nowhere/x.rego, which cannot be read"),
        ("file://{directory}", "where there is no .rego file"),
        ("file://{directory}/broken", "error: "),
    ],
)
def test_a_policy_that_is_none(start: Start, tmp_path: Path, policy: str, said: str) -> None:
    """No server starts with it either."""
    (tmp_path / "broken").write_text("allow if (")
    for command in (["policy", "test"], ["server", "--port", "0"]):
        process = start(*command, CODETETHER_POLICY=policy.format(directory=tmp_path))
        _, told = process.communicate(timeout=60)
        assert process.returncode == 2
        assert said in told and "CODETETHER_POLICY" in told and "Traceback" not in told


def test_cases_that_are_none(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "cases.json").write_text('{"cases": [{"roles": "admin"}]}')
    assert run("policy", "test", str(tmp_path / "cases.json")) == 2
    assert "has no cases" in capsys.readouterr().err
