"""Agents that do what agents have been seen to do: each run ends in the right state, for the right reason."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from codetether_adapters.agents import AcpRunner, AcpTemplate
from codetether_adapters.agents.acp import lines
from codetether_core.ports import Answer, Ask, Inquiry, RunFailed
from codetether_core.tasks import OutputChunk
from tests.acp.scenes import Scenario, ask_for, events, fake, heard, permission, played, said, text
from tests.agents.agents import Output, gone, nobody, run_in

pytestmark = pytest.mark.anyio

BRIEF = timedelta(milliseconds=500)


async def failed(scenario: Scenario, directory: Path, output: Output | None = None, **more: Any) -> RunFailed:
    """How a run in the scenario failed."""
    told = output or Output()
    with pytest.raises(RunFailed) as failure:
        await fake(scenario, directory / "heard", **more).run(run_in(directory), told.emit, nobody)
    return failure.value


async def test_noise_on_standard_output_is_told_beside_and_changes_nothing(tmp_path: Path) -> None:
    """A warning, a log line of JSON, an empty line, half a message, answers to what nobody asked."""
    noise = ["npm WARN deprecated", '{"level":"info"}', "", '{"jsonrpc":"2.0"', '{"jsonrpc":"2.0","id":[],"result":1}']
    stray = ['{"jsonrpc":"2.0","id":99,"result":{}}', '{"jsonrpc":"2.0","id":"x","error":"odd"}']
    output = Output()
    outcome = await played(said(*({"say": line} for line in noise + stray), text("fine")), tmp_path, output)
    assert outcome.result == output.text() == "fine"
    assert output.text("stderr").splitlines() == [line for line in noise if line]


async def test_a_line_of_100_kilobytes_is_one(tmp_path: Path) -> None:
    words = "x" * 100_000 + "ü"
    output = Output()
    assert (await played(said(text(words)), tmp_path, output)).result.endswith("xü")
    assert output.text() == words
    assert len(output.chunks) > 2


async def test_a_line_that_does_not_end_is_not_read_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_BYTES", 200_000)
    assert (await failed(said({"long": 400_000}), tmp_path)).reason == "agent_line_too_long"


async def test_a_flood_is_told_whole_and_slows_the_agent(tmp_path: Path) -> None:
    output = Output()
    scenario = said({"repeat": 3000, "steps": [text("0123456789\n")]})
    await played(scenario, tmp_path, output)
    assert output.text() == "0123456789\n" * 3000


async def test_a_flood_that_nobody_takes_is_not_idleness(tmp_path: Path) -> None:
    """The agent waits for us."""
    full = anyio.Event()

    async def emit(chunk: OutputChunk) -> None:
        if chunk.text and not full.is_set():
            full.set()
            await anyio.sleep(2 * BRIEF.total_seconds())  # what is measured is a time

    runner = fake(said({"repeat": 3000, "steps": [text("0123456789\n")]}), idle_timeout=BRIEF)
    assert (await runner.run(run_in(tmp_path), emit, nobody)).result.endswith("0123456789")


async def test_an_agent_that_never_says_what_it_is_was_not_ready(tmp_path: Path) -> None:
    scenario: Scenario = {"initialize": [{"complain": "still loading"}, {"sleep": 1}]}
    failure = await failed(scenario, tmp_path, initialize_timeout=2 * BRIEF)
    assert failure.reason == "agent_not_ready"
    assert "0:00:01" in failure.error


async def test_a_program_that_speaks_something_else_was_not_ready(tmp_path: Path) -> None:
    template = AcpTemplate(name="cat", command=("cat",), initialize_timeout=BRIEF)
    output = Output()
    with pytest.raises(RunFailed) as failure:
        await AcpRunner(template, {"PATH": "/usr/bin:/bin"}).run(run_in(tmp_path), output.emit, nobody)
    assert failure.value.reason in ("agent_not_ready", "agent_error")


@pytest.mark.parametrize("version", [2, "1", None])
async def test_another_version_of_the_protocol_is_not_guessed_at(tmp_path: Path, version: object) -> None:
    scenario: Scenario = {"initialize": [{"answer": {"protocolVersion": version}}]}
    assert (await failed(scenario, tmp_path)).reason == "protocol_version_unknown"
    assert not heard(tmp_path, "session/new")


async def test_a_silent_agent_is_idle(tmp_path: Path) -> None:
    """From its last word; it is asked to stop, and then ended."""
    failure = await failed(
        said(text("hm"), {"await": "session/cancel"}, {"sleep": 1}), tmp_path, idle_timeout=BRIEF, politeness=0.2
    )
    assert failure.reason == "agent_idle"
    assert len(heard(tmp_path, "session/cancel")) == 1


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"exit": 3}, "Exit code: 3"),
        ({"exit": 0}, "Exit code: 0"),
        ({"kill": signal.SIGKILL}, "Killed by SIGKILL"),
        ({"close": True}, "closed its output"),
    ],
)
@pytest.mark.parametrize("method", ["initialize", "session/new", "session/prompt"])
async def test_an_agent_that_dies_says_how(tmp_path: Path, method: str, step: Mapping[str, Any], words: str) -> None:
    scenario: Scenario = {method: [step, *([{"sleep": 1}] if "close" in step else [])]}
    failure = await failed(scenario, tmp_path)
    assert (failure.reason, words in failure.error) == ("agent_died", True), failure.error
    assert failure.transient is (method == "session/prompt")


async def test_the_last_words_of_an_agent_that_dies_are_why(tmp_path: Path) -> None:
    output = Output()
    failure = await failed(said(text("almost"), {"complain": "out of credit"}, {"exit": 1}), tmp_path, output)
    assert (failure.reason, failure.error) == ("agent_died", "out of credit")
    assert output.text() == "almost"
    assert output.text("stderr") == "out of credit\n"


async def test_what_an_agent_leaves_behind_ends_with_its_run(tmp_path: Path) -> None:
    """Whether it ended well or died: its children hold its output, and end for nobody's asking."""
    pids = tmp_path / "pids"
    await played(said({"fork": str(pids)}, text("fine")), tmp_path)
    failure = await failed(said({"fork": str(pids)}, {"exit": 7}), tmp_path)
    assert failure.reason == "agent_died"
    children = [int(pid) for pid in pids.read_text().split()]
    assert len(children) == 2
    assert gone(children)


@pytest.mark.parametrize(("error", "reason"), [(-32603, "agent_error"), (-32000, "agent_auth_required")])
@pytest.mark.parametrize("method", ["session/new", "session/prompt"])
async def test_an_error_is_told_with_its_details(tmp_path: Path, method: str, error: int, reason: str) -> None:
    refusal = {"error": {"code": error, "message": "Internal error", "data": {"details": "credit is out"}}}
    failure = await failed({method: [refusal]}, tmp_path)
    assert failure.reason == reason
    assert "Internal error: credit is out" in failure.error
    assert failure.transient is (method == "session/prompt" and error == -32603)


async def test_a_session_without_an_id_is_none(tmp_path: Path) -> None:
    assert (await failed({"session/new": [{"answer": {}}]}, tmp_path)).reason == "agent_error"


async def test_what_is_not_offered_is_refused_and_the_run_goes_on(tmp_path: Path) -> None:
    """Neither files nor terminals of ours."""
    read = {"jsonrpc": "2.0", "id": "r", "method": "fs/read_text_file", "params": {"path": "/etc/passwd"}}
    await played(said({"say": json.dumps(read)}, {"await": None}, text("fine")), tmp_path)
    answers = [json.loads(line) for line in (tmp_path / "heard").read_text().splitlines()]
    (answer,) = (each for each in answers if each.get("id") == "r")
    assert answer["error"]["code"] == -32601


class Person:
    """Answers as it is told once both questions are there."""

    def __init__(self, *choices: str, together: int = 1) -> None:
        self.asked: list[Inquiry] = []
        self._choices, self._together, self._all = list(choices), together, anyio.Event()

    async def ask(self, inquiry: Inquiry) -> Answer:
        """A question."""
        choice = self._choices[len(self.asked)]
        self.asked.append(inquiry)
        if len(self.asked) == self._together:
            self._all.set()
        await self._all.wait()
        return Answer(question=inquiry.prompt, choice=choice or None)


async def test_leave_that_is_asked_twice_at_once_is_answered_twice(tmp_path: Path) -> None:
    """Each as it was: the agent knows them by their numbers, though the use of the tool is the same."""
    person = Person("no", "yes", together=2)
    scenario = said(ask_for(permission(title="First"), permission(title="Second")))
    outcome = await fake(scenario, idle_timeout=BRIEF).run(run_in(tmp_path), Output().emit, person.ask)
    assert {each.prompt for each in person.asked} == {"First", "Second"}
    told = [each["outcome"] for each in json.loads(outcome.result.removeprefix("told "))]
    chosen = dict(zip((each.prompt for each in person.asked), ("no", "yes"), strict=True))
    assert told == [{"outcome": "selected", "optionId": chosen[title]} for title in ("First", "Second")]


async def test_who_waits_for_people_is_not_idle(tmp_path: Path) -> None:
    async def ask(inquiry: Inquiry) -> Answer:
        await anyio.sleep(2 * BRIEF.total_seconds())  # what is measured is a time
        return Answer(question=inquiry.prompt, choice="yes")

    outcome = await fake(said(ask_for(permission())), idle_timeout=BRIEF).run(run_in(tmp_path), Output().emit, ask)
    assert '"optionId": "yes"' in outcome.result


async def test_what_nobody_answered_is_cancelled(tmp_path: Path) -> None:
    outcome = await fake(said(ask_for(permission()))).run(run_in(tmp_path), Output().emit, Person("").ask)
    assert outcome.result == 'told [{"outcome": {"outcome": "cancelled"}}]'


class TestCancel:
    """From a good word to SIGKILL."""

    @staticmethod
    async def cancelled(
        scenario: Scenario, directory: Path, ask: Ask = nobody, asked: anyio.Event | None = None, **more: Any
    ) -> None:
        """A run that is cancelled once the agent has said something, and asked; nothing of it is left then."""
        output = Output()
        pids = directory / "pids"
        scenario = {**scenario, "session/prompt": [{"fork": str(pids)}, text("begun"), *scenario["session/prompt"]]}
        async with anyio.create_task_group() as group:
            runner = fake(scenario, directory / "heard", **more)
            group.start_soon(runner.run, run_in(directory), output.emit, ask)
            await output.until(lambda words: "begun" in words)
            if asked is not None:
                await asked.wait()
            group.cancel_scope.cancel()
        assert gone([int(pid) for pid in pids.read_text().split()])

    async def test_an_agent_that_stops_is_not_hurried(self, tmp_path: Path) -> None:
        """It answers its prompt, and the session is closed if it offers that."""
        able = {"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"close": {}}}}
        scenario: Scenario = {
            "initialize": [{"answer": able}],
            "session/prompt": [{"await": "session/cancel"}, {"answer": {"stopReason": "cancelled"}}],
            "session/close": [{"answer": {}}],
        }
        await self.cancelled(scenario, tmp_path)
        assert heard(tmp_path, "session/cancel") == [{"sessionId": "fake-1"}]
        assert heard(tmp_path, "session/close") == [{"sessionId": "fake-1"}]

    async def test_an_agent_that_ignores_it_is_ended(self, tmp_path: Path) -> None:
        await self.cancelled({"session/prompt": [{"sleep": 1}]}, tmp_path, politeness=0.2)

    async def test_open_questions_are_answered_first(self, tmp_path: Path) -> None:
        asked = anyio.Event()

        async def ask(_: Inquiry) -> Answer:
            asked.set()
            await anyio.sleep_forever()
            raise AssertionError

        steps = [ask_for(permission()), {"await": "session/cancel"}, {"answer": {"stopReason": "cancelled"}}]
        await self.cancelled({"session/prompt": steps}, tmp_path, ask, asked)
        answers = [json.loads(line) for line in (tmp_path / "heard").read_text().splitlines()]
        order = [each.get("method") or each["result"] for each in answers][-2:]
        assert order == [{"outcome": {"outcome": "cancelled"}}, "session/cancel"]


async def test_what_emit_raises_ends_the_run_and_comes_out_as_it_is(tmp_path: Path) -> None:
    async def refuse(_: OutputChunk) -> None:
        raise ConnectionError("stale")

    with pytest.raises(ConnectionError, match="stale"):
        await fake({"session/prompt": [{"sleep": 1}]}, politeness=0.1).run(run_in(tmp_path), refuse, nobody)


async def test_a_command_that_is_not_there_says_so(tmp_path: Path) -> None:
    template = AcpTemplate(name="wizard", command=("no-such-command-anywhere", "acp"))
    with pytest.raises(RunFailed, match=r"install it, or correct command under \[agents.wizard\]") as failure:
        await AcpRunner(template).run(run_in(tmp_path), Output().emit, nobody)
    assert failure.value.reason == "command_not_found"


async def test_notifications_that_are_not_known_are_kept(tmp_path: Path) -> None:
    odd = {"jsonrpc": "2.0", "method": "_fake/mood", "params": {"mood": "good"}}
    output = Output()
    await played(said({"say": json.dumps(odd)}, text("x")), tmp_path, output)
    assert events(output, "raw") == [{"type": "raw", "method": "_fake/mood", "params": {"mood": "good"}}]


@pytest.mark.parametrize("end", [{"answer": {"stopReason": "refusal"}}, {"exit": 1}])
async def test_what_was_said_before_a_failure_is_told_whole(tmp_path: Path, end: Mapping[str, Any]) -> None:
    """However long telling takes."""
    told = []

    async def emit(chunk: OutputChunk) -> None:
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        told.append(chunk.text)

    scenario: Scenario = {"session/prompt": [*(text(f"{number},") for number in range(60)), end]}
    with pytest.raises(RunFailed):
        await fake(scenario).run(run_in(tmp_path), emit, nobody)
    assert "".join(told) == "".join(f"{number}," for number in range(60))


async def test_a_session_that_takes_another_ones_place_has_its_time_too(tmp_path: Path) -> None:
    able = {"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"resume": {}}}}
    scenario: Scenario = {
        "initialize": [{"answer": able}],
        "session/resume": [{"answer": {}}],
        "session/new": [{"sleep": 1}],
        **said(),
    }
    with pytest.raises(RunFailed) as failure:
        await fake(scenario, initialize_timeout=4 * BRIEF).run(
            run_in(tmp_path, session="fake-0"), Output().emit, nobody
        )
    assert failure.value.reason == "agent_not_ready"
