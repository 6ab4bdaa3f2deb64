"""Templates: what an agent is given, what becomes of its output, and how it fails."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import psutil
import pytest

from codetether_adapters.agents import CommandRunner, CommandTemplate
from codetether_adapters.agents.chunks import CHUNK_BYTES
from codetether_adapters.agents.command import ERROR_BYTES, RESULT_BYTES
from codetether_core.codec import parse
from codetether_core.errors import Invalid
from codetether_core.ports import RunFailed
from codetether_core.tasks import OutputChunk
from tests.agents.agents import Output, nobody, python, run_in, runner

MEGABYTE = 1024 * 1024


async def test_the_prompt_comes_on_standard_input(tmp_path: Path) -> None:
    prompt = "müde\0" + "x" * 300_000
    outcome = await runner("import sys; print(len(sys.stdin.buffer.read()))").run(
        run_in(tmp_path, prompt=prompt), Output().emit, nobody
    )
    assert outcome.result == str(len(prompt.encode()))


async def test_a_prompt_that_nobody_reads_is_no_error(tmp_path: Path) -> None:
    outcome = await runner("print('did not listen')").run(
        run_in(tmp_path, prompt="x" * MEGABYTE), Output().emit, nobody
    )
    assert outcome.result == "did not listen"


async def test_a_prompt_as_argument_can_be_no_option_and_sees_no_shell(tmp_path: Path) -> None:
    prompt = "--help; rm -rf $HOME `id`"
    outcome = await runner("import sys; print(sys.argv[1:])", prompt="argument").run(
        run_in(tmp_path, prompt=prompt), Output().emit, nobody
    )
    assert outcome.result == repr(["--", prompt])


@pytest.mark.parametrize(("prompt", "reason"), [("a\0b", "invalid_prompt"), ("x" * 200_000, "prompt_too_large")])
async def test_a_prompt_that_cannot_be_an_argument_says_so(prompt: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(RunFailed) as failed:
        await runner("", prompt="argument").run(run_in(tmp_path, prompt=prompt), Output().emit, nobody)
    assert failed.value.reason == reason


async def test_an_agent_sees_little_of_the_workers_environment(tmp_path: Path) -> None:
    template = python(
        "import os, json; print(json.dumps([os.getcwd(), dict(os.environ)]))", env=("WANTED",), set={"FIXED": "1"}
    )
    worker = {
        "PATH": "/bin",
        "HOME": "/h",
        "LC_TIME": "C",
        "WANTED": "w",
        "CODETETHER_TOKEN": "secret",
        "TERM": "xterm",
    }
    outcome = await CommandRunner(template, worker).run(run_in(tmp_path), Output().emit, nobody)
    directory, environment = json.loads(outcome.result)
    assert directory == str(tmp_path)
    assert len(environment.pop("CODETETHER_RUN_ID")) == 32
    environment.pop("LC_CTYPE", None)  # Python's own
    assert environment == {
        "PATH": "/bin",
        "HOME": "/h",
        "LC_TIME": "C",
        "WANTED": "w",
        "FIXED": "1",
        "TERM": "dumb",
        "CODETETHER_TASK_ID": "tsk_1",
    }


async def test_an_agent_is_told_where_to_leave_files(tmp_path: Path) -> None:
    tells = runner("import os; print(os.getenv('CODETETHER_ARTIFACTS'))")
    assert (await tells.run(run_in(tmp_path, artifacts="/left"), Output().emit, nobody)).result == "/left"
    assert (await tells.run(run_in(tmp_path), Output().emit, nobody)).result == "None"


async def test_the_end_of_standard_error_says_why_it_failed(tmp_path: Path) -> None:
    with pytest.raises(RunFailed) as failed:
        await runner("import sys; sys.stderr.write('x' * 9000 + 'the reason\\n'); sys.exit(3)").run(
            run_in(tmp_path), Output().emit, nobody
        )
    assert failed.value.error.endswith("the reason")
    assert len(failed.value.error) < ERROR_BYTES + 100
    assert failed.value.reason == "exit_status"


@pytest.mark.parametrize(
    ("source", "error"),
    [("raise SystemExit(7)", "Exit code: 7"), ("import os; os.kill(os.getpid(), 9)", "Killed by SIGKILL")],
)
async def test_a_silent_failure_names_the_exit_status(source: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=error):
        await runner(source).run(run_in(tmp_path), Output().emit, nobody)


TELLS = "import os, sys; print(sys.argv[1:], os.getenv('CODETETHER_MODEL'), os.getenv('CODETETHER_SESSION'))"
PLACES = {"model": ("--model={model}",), "session": ("--session", "{session}")}


async def test_model_and_session_are_arguments_of_the_tasks_that_have_them(tmp_path: Path) -> None:
    with_places = runner(TELLS, prompt="argument", **PLACES)
    run = run_in(tmp_path, model="p/m", session="ses_1")
    outcome = await with_places.run(run, Output().emit, nobody)
    assert outcome.result == "['--model=p/m', '--session', 'ses_1', '--', 'hello'] p/m ses_1"
    assert outcome.session == "ses_1"
    assert (await with_places.run(run_in(tmp_path), Output().emit, nobody)).result == "['--', 'hello'] None None"


async def test_a_command_may_take_them_from_its_environment_alone(tmp_path: Path) -> None:
    run = run_in(tmp_path, model="p/m", session="ses_1")
    assert (await runner(TELLS, model=(), session=()).run(run, Output().emit, nobody)).result == "[] p/m ses_1"


@pytest.mark.parametrize("member", ["model", "session"])
async def test_what_a_template_cannot_be_given_is_said_and_never_ignored(member: str, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=rf"'test'.*{member}.*under \[agents.test\]") as failed:
        await runner("").run(run_in(tmp_path, **{member: "x"}), Output().emit, nobody)
    assert failed.value.reason == f"{member}_not_supported"


@pytest.mark.parametrize(("member", "word"), [("model", "--dangerous"), ("session", "-c"), ("model", "a\0b")])
async def test_a_tasks_words_cannot_be_options(member: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(RunFailed) as failed:
        await runner("", **PLACES).run(run_in(tmp_path, **{member: word}), Output().emit, nobody)
    assert failed.value.reason == f"invalid_{member}"


async def test_the_session_that_the_agents_json_names_is_reported(tmp_path: Path) -> None:
    outcome = await runner(
        """
        print("ses_no")
        print('{"sessionID": "none"}')
        print('{"type": "text", "sessionID": "ses_new"}')
        print('{"session_id": "ses_later"}')
        """
    ).run(run_in(tmp_path), Output().emit, nobody)
    assert outcome.session == "ses_new"


async def test_a_missing_command_names_the_template_and_the_next_step(tmp_path: Path) -> None:
    template = CommandTemplate(name="wizard", command=("no-such-command-anywhere",))
    with pytest.raises(RunFailed, match=r"'wizard'.*install it, or correct command under \[agents.wizard\]") as failed:
        await CommandRunner(template).run(run_in(tmp_path), Output().emit, nobody)
    assert failed.value.reason == "command_not_found"


async def test_a_command_that_may_not_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="could not be started") as failed:
        await CommandRunner(CommandTemplate(name="t", command=(str(tmp_path),))).run(
            run_in(tmp_path), Output().emit, nobody
        )
    assert failed.value.reason == "command_not_started"


async def test_a_missing_directory_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunFailed) as failed:
        await runner("").run(run_in(tmp_path / "none"), Output().emit, nobody)
    assert failed.value.reason == "directory_missing"


async def test_ugly_output_arrives_whole(tmp_path: Path) -> None:
    output = Output()
    await runner(
        r"""
        import sys
        write = sys.stdout.buffer.write
        write(b"\x1b[31mred\x1b[0m\0\xff\xfe\n"); write(b"\xe2\x82\xac" * 100_000); write(b"\ncut \xe2\x82")
        """
    ).run(run_in(tmp_path), output.emit, nobody)
    assert output.text() == "\x1b[31mred\x1b[0m␀��\n" + "€" * 100_000 + "\ncut �"


async def test_ten_megabytes_without_an_end_of_line_come_in_small_chunks_and_the_result_is_their_end(
    tmp_path: Path,
) -> None:
    output = Output()
    outcome = await runner("import sys; sys.stdout.write('a' * 10 * 1024 * 1024 + 'the end')").run(
        run_in(tmp_path), output.emit, nobody
    )
    assert len(output.text()) == 10 * MEGABYTE + 7
    assert max(len(chunk.text) for chunk in output.chunks) <= CHUNK_BYTES
    note, _, kept = outcome.result.partition("\n")
    assert kept.endswith("the end")
    assert len(kept) == RESULT_BYTES
    assert str(10 * MEGABYTE + 7 - RESULT_BYTES) in note


async def test_a_flood_on_both_streams_takes_bounded_memory(tmp_path: Path) -> None:
    seen = {"stdout": 0, "stderr": 0}

    async def count(chunk: OutputChunk) -> None:
        seen[chunk.stream] += len(chunk.text)
        peak[0] = max(peak[0], psutil.Process().memory_info().rss) if len(chunk.text) % 64 == 0 else peak[0]

    before = psutil.Process().memory_info().rss
    peak = [before]
    await runner(
        """
        import sys, threading
        def flood(stream, text):
            for _ in range(32): stream.write(text)
            stream.flush()
        other = threading.Thread(target=flood, args=(sys.stderr, ("e" * 1023 + chr(10)) * 1024))
        other.start(); flood(sys.stdout, "o" * 1024 * 1024); other.join()
        """
    ).run(run_in(tmp_path), count, nobody)
    assert seen == {"stdout": 32 * MEGABYTE, "stderr": 32 * MEGABYTE}
    assert peak[0] - before < 16 * MEGABYTE


async def test_an_agent_that_nobody_listens_to_slows_down(tmp_path: Path) -> None:
    """Back-pressure: while ``emit`` waits the pipe fills, so that memory does not."""
    marker = tmp_path / "written"
    listening = anyio.Event()
    blocked = anyio.Event()

    async def emit(chunk: OutputChunk) -> None:
        blocked.set()
        await listening.wait()

    async with anyio.create_task_group() as group:
        group.start_soon(
            runner(
                f"""
                import os, signal
                open({str(marker)!r}, "w").write(str(os.getpid()))
                for _ in range(64): os.write(1, b"x" * {MEGABYTE})
                """
            ).run,
            run_in(tmp_path),
            emit,
            nobody,
        )
        with anyio.fail_after(20):
            await blocked.wait()
            agent = psutil.Process(int(marker.read_text()))
            while agent.status() != psutil.STATUS_SLEEPING:
                await anyio.lowlevel.checkpoint()
        assert agent.is_running()
        listening.set()


async def test_a_line_without_an_end_is_shown_while_the_agent_waits(tmp_path: Path) -> None:
    output = Output()
    async with anyio.create_task_group() as group:
        group.start_soon(
            runner("import signal; print('Go on? ', end=''); signal.pause()").run, run_in(tmp_path), output.emit, nobody
        )
        await output.until(lambda text: text == "Go on? ")
        group.cancel_scope.cancel()


async def test_what_emit_raises_ends_the_run_and_comes_out_as_it_is(tmp_path: Path) -> None:
    """The worker learns from its own error (a stale lease, say) what to do, not from a group of one."""

    async def refuse(_: OutputChunk) -> None:
        raise ConnectionError("stale")

    with pytest.raises(ConnectionError, match="stale"):
        await runner("import signal; print('x'); signal.pause()").run(run_in(tmp_path), refuse, nobody)
    assert psutil.Process().children() == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "agents.name"),
        ({"command": ()}, "agents.t.command"),
        ({"command": ("a\0b",)}, "agents.t.command"),
        ({"prompt": "shell"}, "agents.t.prompt"),
        ({"model": ("--model",)}, "agents.t.model"),
        ({"session": ("--session={sessions}",)}, "agents.t.session"),
        ({"env": ("A=B",)}, "agents.t.env"),
        ({"set": {"A": "\0"}}, "agents.t.set"),
        ({"timeout": timedelta()}, "agents.t.timeout"),
    ],
)
def test_a_wrong_template_is_refused_when_it_is_made(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as invalid:
        CommandTemplate(**{"name": "t", "command": (sys.executable,), **wrong})  # type: ignore[arg-type]
    assert invalid.value.field == field


def test_a_template_can_be_read_from_configuration() -> None:
    read = parse(CommandTemplate, {"name": "t", "command": ["a", "b"], "set": {"X": "1"}, "timeout": 1_000_000})
    assert read == CommandTemplate(name="t", command=("a", "b"), set={"X": "1"}, timeout=timedelta(seconds=1))
