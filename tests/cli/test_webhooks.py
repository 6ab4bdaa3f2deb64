"""Webhooks that were given up, seen and told again. How they come to it is shown where they are delivered."""

from __future__ import annotations

import pytest
from attrs import fields_dict

from codetether_adapters.client import WebhookView
from codetether_adapters.http.resources.shapes import DeadLetter
from tests.cli.conftest import Run
from tests.client.servers import Reply, Script, serving

LETTER = {
    "id": "whk_1",
    "name": "ci",
    "task_id": "tsk_1",
    "codebase_id": "global",
    "owner": "ann",
    "protocol": "1.0",
    "state": "dead",
    "sequence": 4,
    "attempts": 12,
    "failing_since": "2026-11-01T00:00:00Z",
    "error": "the receiver answered 500",
    "created_at": "2026-11-01T00:00:00Z",
    "updated_at": "2026-11-03T00:00:00Z",
}


def test_they_are_as_the_server_describes_them() -> None:
    assert LETTER.keys() == fields_dict(DeadLetter).keys()
    assert fields_dict(WebhookView).keys() < LETTER.keys()


def test_they_are_listed_and_told_again(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    script = Script([Reply(json={"dead_letters": [LETTER], "next": None}), Reply(json=LETTER | {"state": "active"})])
    with serving(script) as url:
        assert run("webhook", "list", "--server", url) == 0
        line = capsys.readouterr().out.rstrip("\n").split("\t")
        assert [line[0], line[1], *line[-2:]] == ["whk_1", "tsk_1", "12", "the receiver answered 500"]
        assert run("webhook", "retry", "whk_1", "--server", url) == 0
    assert capsys.readouterr().out == "whk_1 is told again of tsk_1, from event 5 on\n"
    assert [(each.method, each.path) for each in script.heard] == [
        ("GET", "/v1/agent/push/dead-letters"),
        ("POST", "/v1/agent/push/dead-letters/whk_1/retry"),
    ]


def test_there_are_none(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("webhook", "list") == 0
    assert not capsys.readouterr().out
    assert run("webhook", "retry", "whk_1") == 7
