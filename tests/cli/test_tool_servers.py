"""Servers of tools at a terminal and by the SDK, over the real API; whom it asks is a test's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import fields_dict
from starlette.types import ASGIApp

from codetether_adapters.client import Client, OfferedToolView, ToolServerHealthView, ToolServerView
from codetether_adapters.http.resources import shapes
from codetether_core.errors import NotFound, Unavailable
from tests.cli.conftest import Run
from tests.client.both import BOTH, call
from tests.client.servers import Served
from tests.http.resources.world import open_world
from tests.tool_servers.caller import Caller

URL = "https://tools.example/mcp"
TOKEN = "admin-token"
SECRET = "a-key-of-ours-0123456789"


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def url(caller: Caller, monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[str]:
    """A server that asks ``caller``; commands and clients talk to it as its administrator."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[ASGIApp, Callable[[], None]]]:
        async with open_world(caller=caller) as world:
            yield world.app, lambda: None

    served = Served(opened)
    served.start()
    monkeypatch.setenv("CODETETHER_SERVER", served.url)
    monkeypatch.setenv("CODETETHER_TOKEN", TOKEN)
    yield served.url
    served.stop()


def test_they_are_as_the_server_describes_them() -> None:
    pairs = (
        (ToolServerView, shapes.ToolServer),
        (ToolServerHealthView, shapes.ToolServerHealth),
        (OfferedToolView, shapes.OfferedTool),
    )
    for view, shape in pairs:
        assert fields_dict(view).keys() == fields_dict(shape).keys()


def test_a_server_is_added_listed_shown_and_removed(run: Run, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Client(url, token=TOKEN) as client:
        client.secrets.put("issues-key", SECRET)
    options = ["--secret", "issues-key", "--header", "X-Key", "--tool", "sea*", "--tool", "get_?", "--timeout", "2m"]
    assert run("tool-server", "add", "issues", URL, *options, "--description", "Ours") == 0
    assert capsys.readouterr().out == "issues offers 1 of its 2 tools to runs\n"
    assert run("tool-server", "list") == 0
    line = capsys.readouterr().out.rstrip("\n").split("\t")
    assert [*line[:4], line[-1]] == ["issues", "sea*, get_?", "issues-key", "admin", URL]
    assert run("tool-server", "show", "issues") == 0
    shown = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert {"timeout": "120s", "signs in": "yes", "header": "X-Key", "description": "Ours"}.items() <= shown.items()
    assert "prefix" not in shown
    assert run("tool-server", "remove", "issues") == 0
    assert capsys.readouterr().out == "issues is forgotten\n"
    assert run("tool-server", "show", "issues") == 7
    assert run("tool-server", "list") == 0
    assert not capsys.readouterr().out


def test_and_asked_how_it_is(run: Run, url: str, caller: Caller, capsys: pytest.CaptureFixture[str]) -> None:
    """Who does not say which tools it has is not well, and scripts can tell."""
    assert run("tool-server", "add", "issues", URL, "--tool", "search") == 0
    capsys.readouterr()
    assert run("tool-server", "check", "issues") == 0
    assert capsys.readouterr().out.splitlines() == ["search\tyes\tFinds issues", "delete\tno\t"]
    caller.refusal = Unavailable("There was no answer", hint="start it")
    assert run("tool-server", "check", "issues") == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "issues: There was no answer\n  → start it\n")
    assert run("tool-server", "add", "others", URL) == 6
    assert "There was no answer" in capsys.readouterr().err


def test_programs_are_told_the_same(run: Run, url: str, caller: Caller, capsys: pytest.CaptureFixture[str]) -> None:
    def document() -> Any:
        return json.loads(capsys.readouterr().out)

    assert run("tool-server", "add", "issues", URL, "--json") == 0
    assert [each["offered"] for each in document()["tools"]] == [True, True]
    assert run("tool-server", "list", "--json") == 0
    (kept,) = document()
    assert (kept["name"], kept["timeout_seconds"], kept["tools"]) == ("issues", 30.0, ["*"])
    caller.refusal = Unavailable("There was no answer")
    assert run("tool-server", "check", "issues", "--json") == 1
    assert document()["problem"] == "There was no answer"
    for command in ("show", "remove"):
        assert run("tool-server", command, "issues", "--json") == 0
        assert document() == kept


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--timeout", "soon"), "--timeout must be a duration"),
        (("--timeout", "6m"), "timeout_seconds: must be between 1 and 300"),
        (("--header", "X-Key"), "header: is for a secret"),
        (("--tool", "[a]"), "tools: must be names of tools"),
    ],
)
def test_what_cannot_be_is_said(
    run: Run, url: str, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert run("tool-server", "add", "issues", URL, *options) == 2
    assert said in capsys.readouterr().err


@BOTH
def test_both_clients_do_it(url: str, caller: Caller, use: str) -> None:
    call(use, url, lambda client: client.secrets.put("key", SECRET), token=TOKEN)
    put = call(
        use,
        url,
        lambda client: client.tool_servers.put(
            "a-b", URL, tools=["s*"], timeout=2.5, secret="key", prefix="", description="Ours"
        ),
        token=TOKEN,
    )
    assert [(each.name, each.offered) for each in put.tools] == [("search", True), ("delete", False)]
    assert (put.server.timeout_seconds, put.server.secret, put.server.prefix) == (2.5, "key", "")
    assert caller.asked[-1][1] == SECRET
    assert call(use, url, lambda client: client.tool_servers.get("a-b"), token=TOKEN) == put.server
    assert [*call(use, url, lambda client: client.tool_servers.list(), token=TOKEN)] == [put.server]
    assert call(use, url, lambda client: client.tool_servers.check("a-b"), token=TOKEN).tools == put.tools
    assert call(use, url, lambda client: client.tool_servers.delete("a-b"), token=TOKEN) == put.server
    with pytest.raises(NotFound):
        call(use, url, lambda client: client.tool_servers.get("a-b"), token=TOKEN)
