"""The real process: signals, pipes, exit codes."""

import signal
import subprocess
from typing import IO

import pytest

from codetether_adapters.client import Client
from codetether_core.tasks import TaskState
from tests.cli.acting import Actor
from tests.cli.conftest import Start


def read_until(stream: IO[str] | None, wanted: str) -> str:
    """Read lines up to the one that has ``wanted``."""
    assert stream is not None
    told = ""
    for line in stream:
        told += line
        if wanted in line:
            return told
    raise AssertionError(f"{wanted!r} was not told, but: {told}")


def finished(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_a_prompt_from_stdin_is_run_and_its_output_streamed(start: Start, client: Client) -> None:
    process = start("task", "run", "-f", "-")
    assert process.stdin is not None
    process.stdin.write("Read from\na pipe\n")
    process.stdin.close()
    process.stdin = None
    id = read_until(process.stderr, "task ").split()[-1]
    assert client.tasks.get(id).prompt == "Read from\na pipe\n"
    actor = Actor.take(client, id)
    actor.print("live\n")
    assert process.stdout is not None
    assert process.stdout.readline() == "live\n"
    actor.complete()
    assert finished(process)[0] == 0


def test_a_failed_task_exits_with_nine(start: Start, client: Client) -> None:
    process = start("task", "run", "Fail")
    Actor.take(client, read_until(process.stderr, "task ").split()[-1]).fail("no disk")
    code, out, err = finished(process)
    assert (code, out) == (9, "")
    assert "failed: no disk" in err


def test_an_interrupt_leaves_the_task_running_and_tells_the_way_back(start: Start, client: Client) -> None:
    process = start("task", "run", "Wait")
    id = read_until(process.stderr, "task ").split()[-1]
    read_until(process.stderr, "pending")
    process.send_signal(signal.SIGINT)
    code, _, err = finished(process)
    assert code == 130
    assert f"codetether task watch {id}" in err
    assert client.tasks.get(id).status is TaskState.PENDING


def test_an_interrupt_can_cancel(start: Start, client: Client) -> None:
    process = start("task", "run", "Wait", "--cancel-on-interrupt")
    id = read_until(process.stderr, "task ").split()[-1]
    read_until(process.stderr, "pending")
    process.send_signal(signal.SIGINT)
    assert finished(process)[0] == 130
    assert client.tasks.get(id).status is TaskState.CANCELLED


def test_a_deadline_ends_the_watch_not_the_task(start: Start, client: Client) -> None:
    task = client.tasks.run("Wait")
    code, _, err = finished(start("task", "watch", task.id, "--timeout", "0.5"))
    assert code == 124
    assert "the task goes on" in err
    assert client.tasks.get(task.id).status is TaskState.PENDING


def test_a_reader_that_has_seen_enough_is_no_traceback(start: Start, client: Client) -> None:
    task = client.tasks.run("Print")
    actor = Actor.take(client, task.id)
    actor.print(*("x" * 65_536 for _ in range(4)))
    actor.complete()
    process = start("task", "watch", task.id)
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    process.stdout = None
    assert "Traceback" not in finished(process)[2]


@pytest.mark.parametrize("arguments", [("--help",), ("version",), ("task", "--help"), ("completion", "bash")])
def test_quick_commands_import_nothing_heavy(start: Start, arguments: tuple[str, ...]) -> None:
    process = start(*arguments, PYTHONPROFILEIMPORTTIME="1")
    code, out, err = finished(process)
    imported = {line.rpartition("|")[2].strip() for line in err.splitlines()}
    heavy = {"starlette", "hypercorn", "uvicorn", "rich.console", "httpx", "stamina", "orjson", "structlog"}
    if arguments[0] != "task":
        heavy |= {"attrs", "codetether_core"}
    assert (code, bool(out)) == (0, True)
    assert not heavy & imported
