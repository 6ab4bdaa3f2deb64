"""What one tenant's administrator is told at a terminal holds nothing of another tenant's, whichever command is used.

Every command there is, with the other's ids where it takes one, and with the words that both use.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Final

import click
import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal

from codetether_apps.cli import main
from codetether_apps.cli.root import codetether
from codetether_core.ids import TenantId
from codetether_core.services import Entry
from tests.e2e.engines import ENGINES, KEPT, store_settings
from tests.tenants.filled import NAMES
from tests.tenants.test_isolation import ACME, UMBRELLA, Shared, mark, shared

HERE: Final = frozenset(
    {
        "up",
        "server",
        "mcp",
        "worker",
        "policy test",
        "audit verify",
        "config show",
        "migrate",
        "restore",
        "verify",
        "completion",
    }
)
"""Commands that ask no server, or only what others have them ask."""

ENDING: Final = frozenset({"login", "logout"})
"""Commands about the sign-in of whoever calls them, which take no word of another's."""


TAKING: Final = frozenset({"cancel", "remove", "delete", "answer", "change", "revoke"})
"""What commands do after which others have less to tell."""


def commands(ids: Mapping[str, str], directory: Path) -> Mapping[str, Iterable[str]]:
    """By command, what to call it with: ``ids`` are those of whoever is asked about."""
    task, codebase, approval = ids["tasks"], ids["codebases"], ids["approvals"]
    return {
        "task artifacts": [task, "--save", str(directory / "artifacts")],
        "task cancel": [task, ids["waiting"]],
        "task delete": [task, "--yes"],
        "task explain": [ids["waiting"]],
        "task list": ["--limit", "500"],
        "task log": [task],
        "task retry": [task],
        "task run": ["-d", "-c", codebase, "--worker", ids["workers"], "What is there?"],
        "task show": [task],
        "task watch": [task, "--timeout", "5"],
        "codebase add": ["demo", "/srv/demo"],
        "codebase list": [],
        "codebase remove": [codebase],
        "codebase show": [codebase],
        "session delete": [codebase, ids["sessions"], "--yes"],
        "session list": [codebase, "--search", ids["sessions"]],
        "session show": [codebase, ids["sessions"]],
        "approval answer": [approval, "--text", "yes"],
        "approval list": ["--task", task],
        "agent add": [ids["agents"], "--card", "http://127.0.0.1:9/"],
        "agent list": [],
        "agent remove": [ids["agents"]],
        "message list": ["--agent", ids["agents"]],
        "message send": [ids["agents"], "hello"],
        "webhook list": [],
        "webhook retry": ["whk_1"],
        "whoami": [],
        "account add": ["bob", "--password-stdin"],
        "account change": [ids["accounts"], "--disable"],
        "account list": [],
        "account remove": [ids["accounts"]],
        "token create": ["mine"],
        "token list": ["--all"],
        "token revoke": [ids["keys"]],
        "audit export": [str(directory / "trail.jsonl")],
        "audit head": [],
        "audit list": ["--last", "9999"],
        "secret list": [],
        "secret remove": ["theirs"],
        "secret set": ["mine", "--variable", "MINE"],
        "tool-server add": [ids["tool-servers"], "https://tools.example/mcp"],
        "tool-server check": [ids["tool-servers"]],
        "tool-server list": [],
        "tool-server remove": [ids["tool-servers"]],
        "tool-server show": [ids["tool-servers"]],
        "encryption new-key": [],
        "encryption rotate": ["--all-tenants"],
        "encryption show": [],
        "backup": [str(directory / "copy"), "--online"],
        "doctor": [],
        "version": ["--remote"],
    }


def leaves(command: click.Command, *names: str) -> Iterator[str]:
    """The names of all commands there are."""
    if not isinstance(command, click.Group):
        yield " ".join(names)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        if (below := command.get_command(context, name)) is not None:
            yield from leaves(below, *names, name)


@asynccontextmanager
async def served(world: Shared) -> AsyncIterator[str]:
    """The installation's address."""
    server = uvicorn.Server(uvicorn.Config(world.app, log_level="critical", ws="none", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:  # connections wait in it until they are taken
        serving = asyncio.create_task(server._serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Nothing of ours in the environment, and a home of the test's own."""
    for name in ("HOME", "XDG_CONFIG_HOME", "CODETETHER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("CODETETHER_TIMEOUT", "5")
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@contextmanager
def open_shared(engine: str, directory: Path) -> Iterator[tuple[Shared, Callable[[TenantId], list[Entry]], str]]:
    """An installation in a thread of its own (commands want the main one), a tenant's copy, and the address."""
    store_settings(engine)  # a store's server ends with the thread that starts it: that is to be this one
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(shared(engine, directory)) as world,
        portal.wrap_async_context_manager(served(world)) as address,
    ):
        yield world, partial(portal.call, world.copy), address


def said(command: str, words: Iterable[str], capsys: pytest.CaptureFixture[str]) -> str:
    """All that a command prints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", StringIO("correct horse battery\n"))
        main([*command.split(), *words])
    printed = capsys.readouterr()
    return printed.out + printed.err


def written(directory: Path) -> bytes:
    """All that commands wrote into files."""
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_every_command_is_tried(tmp_path: Path) -> None:
    ids = dict.fromkeys((*NAMES, "tasks", "codebases", "approvals", "waiting", "keys"), "x")
    assert {*commands(ids, tmp_path)} | HERE | ENDING == {*leaves(codetether)}


@pytest.mark.parametrize("engine", [*ENGINES, KEPT])
def test_no_command_knows_of_what_is_another_tenants(
    engine: str, tmp_path: Path, bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does any change it."""
    out = tmp_path / "out"
    out.mkdir()
    with open_shared(engine, tmp_path / "server") as (world, copy, address):
        bare.setenv("CODETETHER_SERVER", address)
        bare.setenv("CODETETHER_TOKEN", f"token-of-{UMBRELLA}")
        before = copy(ACME)
        for command, words in commands(world.filled[ACME].ids, out).items():
            told = said(command, words, capsys)
            assert mark(ACME) not in told, (command, told)
        assert mark(ACME).encode() not in written(out)
        assert copy(ACME) == before


def test_whose_it_is_is_told(tmp_path: Path, bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Else the test above would show nothing."""
    out, seen = tmp_path / "out", set[str]()
    out.mkdir()
    with open_shared("sqlite", tmp_path / "server") as (world, _, address):
        bare.setenv("CODETETHER_SERVER", address)
        bare.setenv("CODETETHER_TOKEN", f"token-of-{ACME}")
        asked = commands(world.filled[ACME].ids, out)
        for command in sorted(asked, key=lambda command: command.split()[-1] in TAKING):
            if mark(ACME) in said(command, asked[command], capsys):
                seen.add(command)

    assert len(seen) > 10, seen
    assert mark(ACME).encode() in written(out)
