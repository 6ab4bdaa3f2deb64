"""What a person on a terminal sees."""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from fcntl import ioctl
from secrets import token_hex
from struct import pack
from termios import TIOCSWINSZ

import pytest

from codetether_adapters.client import Client, TaskEvent
from codetether_apps.cli.harmless import harmless
from codetether_apps.cli.printing import print_event
from tests.cli.acting import Actor
from tests.cli.conftest import ROOT


def seen(columns: int, environment: dict[str, str], *arguments: str) -> str:
    """What a command shows on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "codetether_apps.cli", *arguments]
    settings = {"PYTHONPATH": str(ROOT), "TERM": "xterm"} | environment
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=settings) as process:
        os.close(theirs)
        told = b""
        with suppress(OSError):  # the other end is closed
            while piece := os.read(ours, 65_536):
                told += piece
        assert process.wait(20) == 0, told
    os.close(ours)
    return harmless(told.decode())


@pytest.mark.parametrize("columns", [100, 200])
def test_a_table_fits_and_its_ids_are_whole(
    hub_url: str, client: Client, environment: dict[str, str], columns: int
) -> None:
    """However long a title is; and workers have names."""
    task = client.tasks.run("x", title="A long title " * 20)
    actor = Actor.take(client, task.id)
    name = f"name-{token_hex(2)}"
    client.worker.register(actor.worker, name)
    actor.complete()
    lines = seen(columns, environment | {"CODETETHER_SERVER": hub_url}, "task", "list", "--limit", "5").splitlines()
    (line,) = (line for line in lines if task.id in line)
    assert all(word in line for word in ("completed", "build", name, "A long ti"))
    assert all(len(line) <= columns for line in lines)


def test_json_for_a_terminal_is_plain(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown, never obeyed, and means the same."""
    odd = "\x7f\x9b2J\u202e é \U0001f600"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_event(TaskEvent("output", {"output": odd}, "a.1", json.dumps({"output": odd}, ensure_ascii=False)))
    shown = capsys.readouterr().out
    assert shown.removesuffix("\n").isprintable()
    assert shown.isascii()
    assert json.loads(shown) == {"event": "output", "cursor": "a.1", "data": {"output": odd}}
