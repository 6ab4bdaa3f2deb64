"""Every command, against a real server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from codetether_adapters.client import Client
from codetether_adapters.sse import encode
from codetether_apps.cli.harmless import harmless
from codetether_core.tasks import OutputChunk
from tests.cli.acting import Actor
from tests.cli.conftest import Run
from tests.client.servers import TOKEN, Reply, Script, ended, nobody, serving


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


def test_watching_a_finished_task_prints_its_output(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    actor.print("one\n", "two\n")
    actor.complete("three")
    assert run("task", "watch", task.id) == 0
    printed = capsys.readouterr()
    assert printed.out == "one\ntwo\n"
    assert f"codetether task show {task.id}" in printed.err
    assert f"running on {actor.worker}" in printed.err
    assert "completed" in printed.err


def test_the_log_of_a_task_is_printed(run: Run, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    actor.print("one\n", "two\x1b[2J\n")
    actor.complete("three")
    assert run("task", "log", task.id) == 0
    assert capsys.readouterr().out == harmless("one\ntwo\x1b[2J\n")
    assert run("task", "log", task.id, "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["number"] for event in events] == [1, 2, 3, 4, 5]
    assert events[-1]["kind"] == "task.completed"


def test_files_that_a_run_left_are_listed_and_saved(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    for name, data in (("b/new/report.txt", b"fine"), ("a.bin", bytes(300_000))):
        client.worker.attach(actor.worker, task.id, actor.token, name, data)
    assert run("task", "artifacts", task.id) == 0
    assert [line.split("\t")[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["a.bin", "300,000"],
        ["b/new/report.txt", "4"],
    ]
    assert run("task", "artifacts", task.id, "--save", str(tmp_path / "here")) == 0
    assert (tmp_path / "here/b/new/report.txt").read_bytes() == b"fine"
    assert (tmp_path / "here/a.bin").read_bytes() == bytes(300_000)
    assert not [*(tmp_path / "here").rglob("*.unfinished")]
    capsys.readouterr()
    (tmp_path / "other").mkdir()
    (tmp_path / "away").mkdir()
    (tmp_path / "other/b").symlink_to(tmp_path / "away")
    assert run("task", "artifacts", task.id, "--save", str(tmp_path / "other")) == 1
    assert "leads out" in capsys.readouterr().err
    assert not [*(tmp_path / "away").iterdir()]


def test_a_result_that_was_printed_is_not_printed_again(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    actor.print("thinking\nthe answer\n")
    actor.complete("the answer")
    assert run("task", "watch", task.id) == 0
    assert capsys.readouterr().out == "thinking\nthe answer\n"


@pytest.mark.parametrize(
    "printed", ["\x1b[31mthe\x1b[0m answer\n", "x" * 100_000 + "\nthe answer\n", "the\tanswer\r\n"]
)
def test_output_that_differs_from_the_result_is_not_followed_by_it(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str], printed: str
) -> None:
    """An agent's result is mostly what it printed, cut and cleaned."""
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    actor.print(printed)
    actor.complete(f"[12 bytes before this were cut]\n{printed[-70_000:]}")
    assert run("task", "watch", task.id) == 0
    assert capsys.readouterr().out == harmless(printed)


def test_a_result_is_printed_where_its_attempt_has_printed_nothing(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an earlier attempt printed, or what went to stderr, does not count."""
    task = client.tasks.run("Work")
    first = Actor.take(client, task.id)
    first.print("of the first attempt\n")
    client.worker.release(first.worker, first.task, first.token)
    second = Actor.take(client, task.id)
    client.worker.output(second.worker, task.id, second.token, [OutputChunk(text="hm\n", stream="stderr")])
    second.complete("the answer")
    assert run("task", "watch", task.id) == 0
    assert capsys.readouterr().out.endswith("hm\nthe answer\n")


def test_a_task_that_waits_says_why(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to guess that no worker runs such an agent."""
    monkeypatch.setattr("codetether_apps.cli.waiting.PATIENCE", 0.05)
    client.worker.register("wrk_only", "only", agents=["survey"])
    with suppress_others(client, "wrk_only"):
        assert run("task", "run", "Wait", "--agent", "unheard-of", "--timeout", "1.5") == 124
    told = capsys.readouterr()
    assert not told.out
    assert told.err.count("it waits for a worker that may take it") == 1
    assert "nobody runs the agent unheard-of; on offer are: survey" in told.err
    assert "codetether task explain tsk_" in told.err


@contextmanager
def suppress_others(client: Client, id: str) -> Iterator[None]:
    """Have one worker only: those that other tests left behind sign off."""
    for each in client.workers.list():
        if each.worker_id != id:
            client.worker.unregister(each.worker_id)
    yield


def test_json_of_any_depth_is_printed_as_it_came(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    nested = b'{"output": "a", "event": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    whole = encode(b'{"status": "completed", "result": "\xc3\xa9", "task_id": "tsk_1"}', event="complete", id="a.2")
    with serving(Script([ended(encode(nested, event="output", id="a.1") + whole)])) as url:
        assert run("task", "watch", "tsk_1", "--json", "--server", url) == 0
        deep, last = capsys.readouterr().out.splitlines()
        assert deep == f'{{"event": "output", "cursor": "a.1", "data": {nested.decode()}}}'
        assert json.loads(last)["data"]["result"] == "é"


def test_an_agents_json_does_not_hide_the_events_name(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    actor.print('{"type": "text", "text": "hello"}\n')
    actor.complete()
    assert run("task", "watch", task.id, "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[2]["event"] == "output"
    assert events[2]["data"]["event"]["type"] == "text"


def test_attempts_are_shown_with_what_was_said_too_late(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    over = {"number": 1, "worker_id": "wrk_1", "ending": "lapse", "evidence": "x" * 500}
    task = {"id": "tsk_1", "codebase_id": "global", "status": "pending", "attempt": 1, "attempts_charged": 1}
    with serving(Script([Reply(json=task | {"attempts": [over]}), Reply(json=task | {"attempt": 0})])) as url:
        assert run("task", "show", "tsk_1", "--server", url) == 0
        told = capsys.readouterr().out
        assert "attempts\t1 begun, 1 of 3 used up\n" in told
        assert f"attempt 1\tlapse, on wrk_1; too late it said: {'x' * 200}…\n" in told
        assert run("task", "show", "tsk_1", "--server", url) == 0
        assert "attempts\tnone begun, 3 allowed\n" in capsys.readouterr().out


def test_events_are_json_lines_with_cursors(run: Run, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    task = client.tasks.run("Work")
    actor = Actor.take(client, task.id)
    actor.print("\x1b[31mred\x1b[0m\n")
    actor.complete("done")
    assert run("task", "watch", task.id, "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["status", "status", "output", "complete"]
    assert events[2]["data"]["output"] == "\x1b[31mred\x1b[0m\n"
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
    added = capsys.readouterr()
    id = added.out.strip()
    assert f"codetether worker --codebase {name}:{tmp_path}" in added.err
    assert run("codebase", "show", name, "--json") == 0
    assert document(capsys)["path"] == str(tmp_path)
    assert run("codebase", "list") == 0
    assert id in capsys.readouterr().out
    assert run("codebase", "remove", name) == 0
    assert run("codebase", "show", name) == 7


def test_a_second_name_of_a_directory_is_found_and_two_of_one_name_are_told_apart(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first, second = f"demo-{token_hex(4)}", f"foo-{token_hex(4)}"
    assert [run("codebase", "add", name, ".") for name in (first, second)] == [0, 0]
    ids = capsys.readouterr().out.split()
    assert run("codebase", "show", second, "--json") == 0
    assert document(capsys)["id"] == ids[1]
    assert run("codebase", "list") == 0
    listed = capsys.readouterr().out
    assert all(id in listed for id in ids)
    assert run("codebase", "add", second, "elsewhere") == 0
    third = capsys.readouterr().out.strip()
    assert run("codebase", "show", second) == 2
    told = capsys.readouterr().err
    assert f"{ids[1]} ({tmp_path})" in told
    assert f"{third} ({tmp_path}/elsewhere)" in told


def test_a_codebase_that_is_served_needs_no_advice(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name, worker = f"app-{token_hex(4)}", f"wrk_{token_hex(4)}"
    client.worker.register(worker, worker)
    client.worker.add_codebase(name, str(tmp_path), worker_id=worker)
    assert run("codebase", "add", name, ".") == 0
    assert not capsys.readouterr().err


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


def test_what_cannot_be_undone_is_asked_for_first(
    run: Run, client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an option where nobody can be asked; what goes on is not erased, and it is said what to do."""
    tasks = [client.tasks.run("Never mind").id for _ in range(3)]
    assert run("task", "delete", tasks[0]) == 2
    assert "say --yes" in capsys.readouterr().err
    assert run("task", "delete", "--yes", tasks[0]) == 8
    assert "cancel it first" in capsys.readouterr().err
    assert run("task", "cancel", *tasks) == 0
    assert run("task", "delete", "--yes", tasks[0]) == 0
    assert f"erased {tasks[0]}" in "".join(capsys.readouterr())
    assert run("task", "delete", "-y", tasks[1], "--json") == 0
    assert document(capsys) == {"erased": [tasks[1]]}
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    for answer, code in (("n", 130), ("y", 0)):
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt, answer=answer: answer)
        assert run("task", "delete", tasks[2]) == code
    assert run("task", "show", tasks[2]) != 0


def test_a_conversation_is_erased(run: Run, client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    codebase = client.codebases.add(f"app-{token_hex(4)}", "/srv/app")
    client.worker.sync_sessions(codebase.id, "w", [{"id": "ses_1", "title": "First"}])
    assert run("session", "delete", codebase.name, "ses_1") == 2
    assert "say --yes" in capsys.readouterr().err
    assert run("session", "delete", codebase.name, "ses_1", "--yes") == 0
    assert "erased ses_1 and 0 of its tasks" in "".join(capsys.readouterr())
    assert run("session", "show", codebase.id, "ses_1") != 0
    client.worker.sync_sessions(codebase.id, "w", [{"id": "ses_2", "title": "Second"}])
    capsys.readouterr()
    assert run("session", "delete", codebase.id, "ses_2", "--yes", "--json") == 0
    assert document(capsys) == {"erased": "ses_2", "tasks": 0}


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


def test_a_variable_that_is_misspelt_shows_where_one_looks_for_it(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODETETHER_PROT", "9000")
    assert run("config", "show") == 0
    assert "CODETETHER_PROT means nothing: did you mean CODETETHER_PORT?" in capsys.readouterr().err


def test_what_is_not_there_is_named(run: Run, capsys: pytest.CaptureFixture[str], hub_url: str) -> None:
    """The task that was asked for; or the server, if it is somewhere else."""
    assert run("task", "show", "tsk_mistyped") == 7
    assert "Task not found: tsk_mistyped\n  → codetether task list\n" in capsys.readouterr().err
    assert run("--server", f"{hub_url}/elsewhere", "task", "list") == 7
    assert "--server and CODETETHER_SERVER name its root" in capsys.readouterr().err


def test_the_doctor_says_what_is_wrong(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODETETHER_SERVERR", "x")
    run("doctor", "--json")
    findings = {each["check"]: each for each in document(capsys)}
    assert findings["access"]["ok"]
    assert findings["environment"]["hint"] == "did you mean CODETETHER_SERVER?"
    assert not any(each["ok"] and each["hint"] for each in findings.values())
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


def test_an_agent_elsewhere_is_added_by_its_card_and_removed(
    run: Run, client: Client, hub_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """This one is the server itself."""
    name, secret = f"far-{token_hex(4)}", f"secret-{token_hex(4)}"
    client.secrets.put(secret, token_hex(16))
    assert run("agent", "add", name, "--card", hub_url) == 2
    assert "secret" in capsys.readouterr().err
    assert run("agent", "add", name, "--card", hub_url, "--secret", secret) == 0
    assert f"{name} is at {hub_url}/v1/a2a" in capsys.readouterr().out
    (tmp_path / "keys").write_text("{")
    assert run("agent", "add", name, "--card", hub_url, "--keys", str(tmp_path / "keys")) == 2
    capsys.readouterr()
    (tmp_path / "keys").write_text('{"keys": []}')
    assert run("agent", "add", name, "--card", hub_url, "--secret", secret, "--keys", str(tmp_path / "keys")) == 2
    assert "not signed" in capsys.readouterr().err
    assert run("agent", "add", name, "--card", hub_url, "--secret", secret, "--json") == 0
    peer = document(capsys)["peer"]
    assert (peer["release"], peer["secret"]) == ("1.0", secret)
    assert run("agent", "remove", name) == 0
    assert "is forgotten" in capsys.readouterr().out
    assert name not in {each.name for each in client.agents.list()}
