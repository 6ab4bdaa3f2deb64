"""What a well-behaved agent is told and tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from codetether_core.ports import RunFailed, ToolAccess
from codetether_core.tasks import session_of
from tests.acp.scenes import Scenario, events, fake, heard, played, said, text
from tests.agents.agents import Output, nobody, run_in

pytestmark = pytest.mark.anyio


async def test_a_run_from_the_first_word_to_the_last(tmp_path: Path) -> None:
    output = Output()
    outcome = await played({}, tmp_path, output)
    assert (outcome.result, outcome.session, outcome.reason) == ("Done.", "fake-1", None)
    assert output.text() == "Done."
    assert events(output) == [
        {"type": "session", "sessionId": "fake-1"},
        {"type": "usage", "used": 10, "size": 100},
    ]
    assert [session_of(chunk) for chunk in output.chunks if chunk.event] == ["fake-1", None]
    (hello,) = heard(tmp_path, "initialize")
    assert hello["protocolVersion"] == 1
    assert hello["clientCapabilities"] == {
        "fs": {"readTextFile": False, "writeTextFile": False},
        "terminal": False,
        "elicitation": {"form": {}, "url": {}},
    }
    assert heard(tmp_path, "session/new") == [{"cwd": str(tmp_path), "mcpServers": []}]
    assert heard(tmp_path, "session/prompt") == [{"sessionId": "fake-1", "prompt": [{"type": "text", "text": "hello"}]}]


@pytest.mark.parametrize("able", [True, False])
@pytest.mark.parametrize("session", [None, "old-1"])
async def test_tools_of_others_are_told_to_agents_that_take_them(
    tmp_path: Path, able: bool, session: str | None
) -> None:
    """Where they are and what to show there, whether the session is a new one or not."""
    capabilities = {"mcpCapabilities": {"http": able}, "sessionCapabilities": {"resume": {}}}
    scenario: Scenario = {
        "initialize": [{"answer": {"protocolVersion": 1, "agentCapabilities": capabilities}}],
        "session/resume": [{"answer": {}}],
    }
    tools = ToolAccess(url="http://127.0.0.1:1/mcp/v1/runs/default/tsk_1", token="lease-1")
    await played(scenario, tmp_path, tools=tools, session=session)
    (told,) = heard(tmp_path, "session/new" if session is None else "session/resume")
    header = {"name": "Authorization", "value": "Bearer lease-1"}
    expected = [{"type": "http", "name": "codetether", "url": tools.url, "headers": [header]}]
    assert told["mcpServers"] == (expected if able else [])


async def test_what_is_told_keeps_the_order_of_the_wire(tmp_path: Path) -> None:
    """Among kinds as well as within one, and whatever the library would run beside each other."""
    steps: list[Mapping[str, Any]] = []
    for number in range(200):
        steps += [text(f"{number},"), {"update": {"sessionUpdate": "notice", "title": str(number)}}]
    output = Output()
    await played(said(*steps), tmp_path, output)
    told = [chunk.text.rstrip(",") or str((chunk.event or {}).get("title")) for chunk in output.chunks]
    assert told[1:-1] == [str(number) for number in range(200) for _ in "tn"]


async def test_the_result_is_what_was_said_after_the_last_tool(tmp_path: Path) -> None:
    call = {"sessionUpdate": "tool_call", "toolCallId": "1", "title": "ls", "kind": "execute", "status": "completed"}
    outcome = await played(said(text("I look."), {"update": call}, text("It is "), text("there.\n")), tmp_path)
    assert outcome.result == "It is there."


async def test_usage_that_comes_after_the_answer_is_told(tmp_path: Path) -> None:
    usage = {"sessionUpdate": "usage_update", "used": 5, "size": 9, "cost": {"amount": 0.25, "currency": "USD"}}
    scenario: Scenario = {"session/prompt": [text("x"), {"answer": {"stopReason": "end_turn"}}, {"update": usage}]}
    output = Output()
    await played(scenario, tmp_path, output)
    assert events(output, "usage") == [
        {"type": "usage", "used": 5, "size": 9, "cost": {"amount": 0.25, "currency": "USD"}}
    ]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("refusal", "agent_refused"),
        ("max_tokens", "iteration_limit"),
        ("max_turn_requests", "iteration_limit"),
        ("cancelled", "agent_cancelled"),
        ("boredom", "agent_error"),
        ([], "agent_error"),
    ],
)
async def test_an_agent_that_stops_before_its_end_has_failed(tmp_path: Path, stop: object, reason: str) -> None:
    with pytest.raises(RunFailed, match="no further") as failed:
        await played(said(text("no further"), stop=stop), tmp_path)
    assert failed.value.reason == reason


async def test_the_agent_sees_what_its_template_lets_through_and_the_runs_own(tmp_path: Path) -> None:
    scenario: Scenario = {"session/new": [{"error": {"code": -32000, "message": "who are you?"}}]}
    ways = [{"id": "key", "name": "Key", "type": "env_var", "vars": [{"name": "KEY"}]}]
    hello = {"protocolVersion": 1, "agentCapabilities": {}, "authMethods": ways}
    scenario = {**scenario, "initialize": [{"answer": hello}], "authenticate": [{"answer": {}}]}
    environments: Sequence[Mapping[str, str]] = [{}, {"KEY": "k"}]
    for calls, environment in enumerate(environments):
        with pytest.raises(RunFailed, match=r"who are you\?.*KEY") as failed:
            await fake(scenario, tmp_path / "heard").run(
                run_in(tmp_path, environment=environment), Output().emit, nobody
            )
        assert failed.value.reason == "agent_auth_required"
        assert heard(tmp_path, "authenticate") == [{"methodId": "key"}] * calls


CHOICES = [{"value": "a", "name": "A"}, {"value": "b", "name": "B"}]
MODEL = {
    "type": "select",
    "id": "model",
    "name": "Model",
    "category": "model",
    "currentValue": "a",
    "options": [{"group": "all", "name": "All", "options": CHOICES}],
}


async def test_a_model_is_chosen_among_those_that_are_offered(tmp_path: Path) -> None:
    scenario: Scenario = {
        "session/new": [{"answer": {"sessionId": "fake-1", "configOptions": [MODEL]}}],
        "session/set_config_option": [{"answer": {"configOptions": []}}],
    }
    await played(scenario, tmp_path, model="b")
    assert heard(tmp_path, "session/set_config_option") == [{"sessionId": "fake-1", "configId": "model", "value": "b"}]
    with pytest.raises(RunFailed, match="it offers a, b; or say how") as failed:
        await played(scenario, tmp_path, model="c")
    assert failed.value.reason == "model_not_supported"


async def test_a_model_may_be_an_argument(tmp_path: Path) -> None:
    """Of the command line, and then the agent is asked for none."""
    with pytest.raises(RunFailed, match="is no name of a model"):
        await played({}, tmp_path, model="--yolo")
    runner = fake({}, model=(str(tmp_path / "{model}"),))
    await runner.run(run_in(tmp_path, model="heard"), Output().emit, nobody)
    assert len(heard(tmp_path, "session/prompt")) == 1


class TestSessions:
    """Gone on with, loaded, or lost."""

    @staticmethod
    def able(**capabilities: object) -> Sequence[Mapping[str, Any]]:
        return [{"answer": {"protocolVersion": 1, "agentCapabilities": capabilities}}]

    async def test_a_session_is_resumed_rather_than_loaded(self, tmp_path: Path) -> None:
        scenario: Scenario = {
            "initialize": self.able(loadSession=True, sessionCapabilities={"resume": {}}),
            "session/resume": [{"answer": {}}],
        }
        outcome = await played(scenario, tmp_path, session="fake-0")
        assert (outcome.session, outcome.reason) == ("fake-0", None)
        assert [each["sessionId"] for each in heard(tmp_path, "session/prompt")] == ["fake-0"]
        assert not heard(tmp_path, "session/load")
        assert not heard(tmp_path, "session/new")

    async def test_what_is_told_again_while_a_session_is_loaded_is_not_output(self, tmp_path: Path) -> None:
        scenario: Scenario = {
            "initialize": self.able(loadSession=True),
            "session/load": [text("said before"), {"answer": None}],
        }
        output = Output()
        outcome = await played(scenario, tmp_path, output, session="fake-0")
        assert (outcome.session, output.text()) == ("fake-0", "Done.")

    @pytest.mark.parametrize(
        "scenario",
        [
            {},
            {
                "initialize": able(loadSession=True),
                "session/load": [text("said before"), {"error": {"code": -32002, "message": "no such session"}}],
            },
            {
                "initialize": able(sessionCapabilities={"resume": {}}),
                "session/resume": [{"error": {"code": -32603, "message": "Internal error"}}],
            },
        ],
        ids=["cannot", "not-loaded", "not-resumed"],
    )
    async def test_a_session_that_is_lost_is_said_and_another_begun(self, tmp_path: Path, scenario: Scenario) -> None:
        output = Output()
        outcome = await played(scenario, tmp_path, output, session="fake-0")
        assert (outcome.session, outcome.reason, outcome.result) == ("fake-1", "session_lost", "Done.")
        assert events(output, "session", "session_lost") == [
            {"type": "session_lost", "sessionId": "fake-0"},
            {"type": "session", "sessionId": "fake-1"},
        ]
        assert output.text() == "Done."

    @pytest.mark.parametrize("stop", ["end_turn", "refusal"])
    async def test_an_agent_that_resumes_what_it_does_not_have_is_found_out(self, tmp_path: Path, stop: str) -> None:
        """It says yes, and then does nothing: so do agents that are in use."""
        scenario: Scenario = {
            "initialize": self.able(sessionCapabilities={"resume": {}}),
            "session/resume": [{"answer": {}}],
            "session/prompt": [{"answer": {"stopReason": stop}}],
        }
        output = Output()
        if stop == "end_turn":
            outcome = await played(scenario, tmp_path, output, session="fake-0")
            assert (outcome.session, outcome.reason) == ("fake-1", "session_lost")
        else:
            with pytest.raises(RunFailed) as failed:
                await played(scenario, tmp_path, output, session="fake-0")
            assert failed.value.reason == "agent_refused"
        assert [each["sessionId"] for each in heard(tmp_path, "session/prompt")] == ["fake-0", "fake-1"]


async def test_what_it_can_do_is_asked_of_an_agent_that_then_does_nothing(tmp_path: Path) -> None:
    able = {"loadSession": True, "promptCapabilities": {"image": True, "audio": False, "embeddedContext": True}}
    scenario: Scenario = {"initialize": TestSessions.able(**able)}
    assert await fake(scenario, tmp_path / "heard").abilities(str(tmp_path)) == {"load", "image", "embedded_context"}
    assert not heard(tmp_path, "session/new")
    with pytest.raises(RunFailed, match="out of order") as failed:
        await fake({"initialize": [{"complain": "out of order"}, {"exit": 1}]}).abilities(str(tmp_path))
    assert failed.value.reason == "agent_died"


async def test_the_whole_run_has_a_limit(tmp_path: Path) -> None:
    runner = fake({"session/prompt": [{"sleep": 1}]}, timeout=timedelta(milliseconds=900), politeness=0.1)
    with pytest.raises(RunFailed) as failed:
        await runner.run(run_in(tmp_path), Output().emit, nobody)
    assert failed.value.reason == "run_timeout"
