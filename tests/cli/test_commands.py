"""Every command, against a real server."""

import json
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from codetether_adapters.client import Client
from tests.cli.acting import Actor
from tests.cli.conftest import Run
from tests.client.servers import TOKEN, nobody


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON document that was printed."""
    return json.loads(capsys.readouterr().out)


def test_a_task_is_submitted_and_shown(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("task", "run", "Say hello", "--detach", "--title", "Hello", "--priority", "7") == 0
    id = capsys.readouterr().out.strip()
    assert run("task", "show", id, "--json") == 0
    task = document(capsys)
    assert (task["title"], task["prompt"], task["priority"], task["status"]) == ("Hello", "Say hello", 7, "pending")
    assert run("task", "show", id) == 0
    assert "title\tHello\n" in capsys.readouterr().out


def test_the_same_key_makes_the_same_task(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    key = token_hex(8)
    assert [run("task", "run", "Once", "-d", "--key", key) for _ in range(2)] == [0, 0]
    first, second = capsys.readouterr().out.split()
    assert first == second


def test_tasks_are_listed_one_a_line_the_newest_first(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    older, newer = (client.tasks.run("List me", title=f"a\ttitle\n{token_hex(4)}") for _ in range(2))
    assert run("task", "list", "--status", "pending", "--limit", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines] == [newer.id, older.id]
    assert all(line.count("\t") == 5 for line in lines)
    assert run("--json", "task", "list", "--limit", "1") == 0
    assert [task["id"] for task in document(capsys)] == [newer.id]


def test_a_task_is_cancelled_retried_and_explained(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    task = client.tasks.run("Never mind")
    assert run("task", "cancel", task.id) == 0
    assert run("task", "retry", task.id) == 0
    new = capsys.readouterr().out.strip()
    assert client.tasks.get(new).retry_of == task.id
    assert run("task", "explain", new) == 0
    assert "waits for" in capsys.readouterr().err
    assert run("task", "explain", new, "--json") == 0
    assert document(capsys)["task"]["id"] == new


def test_watching_a_finished_task_prints_its_output_and_result(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    actor.print("one\n", "two\n")
    actor.complete("three")
    assert run("task", "watch", task.id) == 0
    printed = capsys.readouterr()
    assert printed.out == "one\ntwo\nthree\n"
    assert f"running on {actor.worker}" in printed.err
    assert "completed" in printed.err


def test_a_result_that_was_printed_is_not_printed_again(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    actor.print("thinking\nthe answer\n")
    actor.complete("the answer")
    assert run("task", "watch", task.id) == 0
    assert capsys.readouterr().out == "thinking\nthe answer\n"


def test_events_are_json_lines_with_cursors(run: Run, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    actor.print("\x1b[31mred\x1b[0m\n")
    actor.complete("done")
    assert run("task", "watch", task.id, "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["status", "status", "output", "complete"]
    assert events[2]["output"] == "\x1b[31mred\x1b[0m\n"
    assert run("task", "watch", task.id, "--json", "--since", events[2]["cursor"]) == 0
    assert [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()] == ["complete"]


def test_an_agent_cannot_control_the_terminal(run: Run, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    task = client.tasks.run("Be evil", title="\x1b]0;owned\x07")
    actor = Actor.take(client, task.id)
    actor.print("a\x1b[2J", "b\x1b]52;c;", "ZXZpbA==\x07c\x1b", "[31md\u202e\n")
    actor.fail("\x1b[2Jboom\x9b31m")
    assert run("task", "watch", task.id) == 9
    assert run("task", "show", task.id) == 0
    assert run("task", "list", "--limit", "5") == 0
    printed = capsys.readouterr()
    shown = printed.out + printed.err
    assert printed.out.startswith("abcd\n")
    assert "failed: boom" in printed.err
    assert not any(character in shown for character in "\x1b\x07\x9b\u202e\r")


def test_a_question_ends_a_watch_that_nobody_could_answer(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    task = client.tasks.run("Ask")
    actor = Actor.take(client, task.id)
    asked = actor.ask("May I?")
    assert run("task", "watch", task.id) == 10
    assert f"codetether approval answer {asked}" in capsys.readouterr().err
    assert run("approval", "list", "--task", task.id) == 0
    assert asked in capsys.readouterr().out
    assert run("approval", "answer", asked, "--text", "yes") == 0
    assert run("approval", "answer", asked, "--text", "no") == 8
    assert "Already answered by tester" in capsys.readouterr().err
    actor.complete("thanks")
    assert run("task", "watch", task.id) == 0


def test_codebases_are_added_listed_shown_and_removed(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name = f"app-{token_hex(4)}"
    assert run("codebase", "add", name, ".") == 0
    id = capsys.readouterr().out.strip()
    assert run("codebase", "show", name, "--json") == 0
    assert document(capsys)["path"] == str(tmp_path)
    assert run("codebase", "list") == 0
    assert id in capsys.readouterr().out
    assert run("codebase", "remove", name) == 0
    assert run("codebase", "show", name) == 7


def test_conversations_are_listed_and_shown(run: Run, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    codebase = client.codebases.add(f"app-{token_hex(4)}", "/srv/app")
    client.worker.sync_sessions(codebase.id, "w", [{"id": "ses_1", "title": "First"}])
    said = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hello?"}]}]
    client.worker.sync_messages(codebase.id, "ses_1", "w", said)
    assert run("session", "list", codebase.name) == 0
    assert "First" in capsys.readouterr().out
    assert run("session", "show", codebase.id, "ses_1") == 0
    assert capsys.readouterr().out == "First\n\nuser:\nHello?\n"
    assert run("session", "show", codebase.id, "ses_1", "--json") == 0
    assert document(capsys)["messages"][0]["id"] == "m1"


def test_messages_are_sent_and_listed(run: Run, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"agent-{token_hex(4)}"
    client.agents.register(name)
    assert run("agent", "list") == 0
    assert name in capsys.readouterr().out
    assert run("message", "send", name, "hello") == 0
    id = capsys.readouterr().out.strip()
    assert run("message", "list", "--agent", name, "--json") == 0
    assert [each["id"] for each in document(capsys)] == [id]


def test_settings_are_shown_with_their_origin_and_without_secrets(
    run: Run, capsys: pytest.CaptureFixture[str], hub_url: str
) -> None:
    assert run("config", "show", "--origin") == 0
    shown = capsys.readouterr().out
    assert f"client.server\t{hub_url}\tenvironment CODETETHER_SERVER\n" in shown
    assert TOKEN not in shown
    assert run("config", "show", "--json") == 0
    assert document(capsys)["server.port"] == {"value": "8000", "origin": "default"}


def test_the_doctor_says_what_is_wrong(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODETETHER_SERVERR", "x")
    run("doctor", "--json")
    findings = {each["check"]: each for each in document(capsys)}
    assert findings["access"]["ok"]
    assert findings["environment"]["hint"] == "did you mean CODETETHER_SERVER?"
    assert run("--server", nobody(), "doctor") == 1
    assert "FAIL  server: Cannot connect" in capsys.readouterr().out


def test_versions_are_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("version", "--remote", "--json") == 0
    versions = document(capsys)
    assert versions["codetether"] == versions["server"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_their_completion(run: Run, capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert run("completion", shell) == 0
    assert "_CODETETHER_COMPLETE" in capsys.readouterr().out
