"""What an agent wishes to do: the policy is asked first, a human second, and the worker is told either way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from codetether_adapters.opa import RegoPolicy, open_opa_server, shipped_policy
from tests.http.resources.world import World, ok, open_world
from tests.policy.opa import opa_server

pytestmark = pytest.mark.anyio

YES: Final[Mapping[str, Any]] = {"id": "yes", "label": "Yes", "kind": "allow_once"}
ALWAYS: Final = {"id": "always", "label": "Always", "kind": "allow_always"}
NO: Final[Mapping[str, Any]] = {"id": "no", "label": "No", "kind": "reject_once"}
NEVER: Final = {"id": "never", "label": "Never", "kind": "reject_always"}
OPTIONS: Final = (ALWAYS, YES, NEVER, NO)

READING: Final = {"name": "Read", "kind": "read", "paths": ["/srv/demo/src/a.py"]}
WRITING: Final = {"name": "Write", "kind": "edit", "paths": ["src/a.py"]}
HOOKING: Final = {"name": "Write", "kind": "edit", "paths": [".git/hooks/pre-commit"]}


class Holder:
    """A worker with a task of the codebase ``/srv/demo``, and its word."""

    def __init__(self, world: World, claimed: Mapping[str, Any]) -> None:
        self.world = world
        self.task: str = claimed["task_id"]
        self.word = {"worker_id": "w1", "lease_token": claimed["lease"]["token"]}

    @classmethod
    async def begin(cls, world: World) -> Holder:
        codebase = await world.codebase(worker_id="w1")
        task = ok(await world.client.post("/v1/agent/tasks", json={"prompt": "p", "codebase_id": codebase}))["id"]
        words = {"task_id": task, "worker_id": "w1", "lease": True}
        return cls(world, ok(await world.worker.post("/v1/worker/tasks/claim", json=words)))

    async def wish(
        self, tool: Mapping[str, Any] | None, options: Sequence[Mapping[str, Any]] = OPTIONS, key: str = "", **more: Any
    ) -> Any:
        """The answer to it, which has to be 200."""
        return ok(await self.send(tool, options, key, **more))

    async def send(
        self, tool: Mapping[str, Any] | None, options: Sequence[Mapping[str, Any]] = OPTIONS, key: str = "", **more: Any
    ) -> Any:
        body = {"prompt": "May I?", "kind": "permission", "options": [*options], "tool": tool, **self.word, **more}
        headers = {"Idempotency-Key": key} if key else {}
        return await self.world.worker.post(f"/v1/agent/tasks/{self.task}/ask", json=body, headers=headers)

    async def shown(self) -> Any:
        return await self.world.get(f"/v1/agent/tasks/{self.task}")

    async def told(self) -> list[str]:
        """The kinds of what the task's log says of approvals."""
        log = (await self.world.client.get(f"/v1/agent/tasks/{self.task}/log")).text
        kinds = [json.loads(line)["kind"] for line in log.splitlines()]
        return [kind for kind in kinds if kind.startswith("approval.")]

    async def trail(self) -> list[tuple[str, Mapping[str, Any]]]:
        """What the audit trail says of approvals and refusals, oldest first."""
        found = (await self.world.get("/v1/audit/events", limit=100))["events"]
        said = [(each["action"], each["metadata"]) for each in reversed(found)]
        return [each for each in said if each[0].startswith("approval.") or "code" in each[1]]


async def test_what_the_policy_allows_nobody_is_asked() -> None:
    """The run does not stop, and the trail says which rule it was. Deleting that rule makes it a question."""
    async with open_world() as world:
        holder = await Holder.begin(world)
        answer = await holder.wish(READING)
        approval = answer["approval"]
        assert (approval["status"], approval["choice"]) == ("answered", "yes")
        assert (approval["answered_by"], approval["asked_by_rule"]) == ("policy:looking", None)
        assert approval["tool"] == {**READING, "command": None}
        assert answer["task"]["status"] == (await holder.shown())["status"] == "running"
        assert (await holder.shown())["awaiting"] == []
        assert ok(await world.client.get(f"/v1/agent/approvals/{approval['id']}?wait=60")) == approval
        assert await holder.told() == ["approval.judged"]
        ((action, metadata),) = await holder.trail()
        assert (action, metadata["answered_by"], metadata["choice"]) == ("approval.judged", "policy:looking", "yes")
        late = await world.client.post(f"/v1/agent/approvals/{approval['id']}/answer", json={"choice": "no"})
        assert (late.status_code, late.json()["winner"]) == (409, "policy:looking")
        ok(await world.worker.post(f"/v1/agent/tasks/{holder.task}/output", json={"output": "on", **holder.word}))


async def test_what_the_policy_denies_the_agent_is_told_not_to_do() -> None:
    """Not even people can allow it. Deleting that rule makes it a question."""
    async with open_world() as world:
        holder = await Holder.begin(world)
        answer = await holder.wish(HOOKING)
        approval = answer["approval"]
        assert (approval["status"], approval["choice"]) == ("answered", "no")
        assert (approval["answered_by"], approval["text"]) == (
            "policy:git_internals",
            "What is in .git is changed by git alone: use its commands.",
        )
        assert answer["task"]["status"] == (await holder.shown())["status"] == "running"
        assert [action for action, _ in await holder.trail()] == ["approval.judged"]
        assert (await holder.wish(HOOKING, [YES, NEVER]))["approval"]["choice"] == "never"


@pytest.mark.parametrize("options", [[YES, ALWAYS], []], ids=["no option refuses", "in words"])
async def test_a_denial_that_no_option_tells_is_a_refusal(options: Sequence[Mapping[str, Any]]) -> None:
    async with open_world() as world:
        holder = await Holder.begin(world)
        refused = await holder.send(HOOKING, options)
        assert refused.status_code == 403
        problem = refused.json()
        assert (problem["code"], problem["rule"]) == ("denied_by_policy", "git_internals")
        assert "use its commands" in problem["detail"] and problem["hint"]
        assert (await world.get("/v1/agent/approvals"))["approvals"] == [] and await holder.told() == []
        ((action, metadata),) = await holder.trail()
        assert (action, metadata["code"], metadata["rule"]) == ("tasks:execute", "denied_by_policy", "git_internals")
        other = {**holder.word, "lease_token": "1.of-another"}
        stale = await holder.send(HOOKING, options, **other)
        assert (stale.status_code, stale.json()["code"]) == (409, "stale_lease")  # who does not hold it learns nothing


async def test_everything_else_people_are_asked() -> None:
    """And told which rule it was that left it to them."""
    async with open_world() as world:
        holder = await Holder.begin(world)
        for tool, rule in ((WRITING, "otherwise"), ({**READING, "paths": [".env"]}, "secret_file")):
            answer = await holder.wish(tool)
            approval = answer["approval"]
            assert (approval["status"], approval["asked_by_rule"], approval["answered_by"]) == ("open", rule, None)
            assert answer["task"]["status"] == (await holder.shown())["status"] == "input_required"
            ok(await world.client.post(f"/v1/agent/approvals/{approval['id']}/answer", json={"choice": "always"}))
        assert (await holder.shown())["status"] == "running"
        trail = await holder.trail()
        assert [action for action, _ in trail] == ["approval.asked", "approval.answered"] * 2
        assert trail[2][1]["asked_by_rule"] == "secret_file"


async def test_a_question_that_names_no_tool_is_none_of_the_policys() -> None:
    async with open_world() as world:
        holder = await Holder.begin(world)
        approval = (await holder.wish(None))["approval"]
        assert (approval["status"], approval["asked_by_rule"], approval["tool"]) == ("open", None, None)


@pytest.mark.parametrize("options", [[ALWAYS, NO], [NO, NEVER], []], ids=["for good", "no", "in words"])
async def test_a_permission_that_no_option_tells_is_left_to_people(options: Sequence[Mapping[str, Any]]) -> None:
    """The policy says yes to this use alone: it never gives leave for good, after which nobody would ask it again."""
    async with open_world() as world:
        holder = await Holder.begin(world)
        approval = (await holder.wish(READING, options))["approval"]
        assert (approval["status"], approval["asked_by_rule"]) == ("open", "looking")


async def test_options_without_a_kind_will_do() -> None:
    async with open_world() as world:
        holder = await Holder.begin(world)
        plain: list[Mapping[str, Any]] = [{"id": "no", "label": "No", "allows": False}, {"id": "yes", "label": "Yes"}]
        assert (await holder.wish(READING, plain))["approval"]["choice"] == "yes"
        assert (await holder.wish(HOOKING, plain))["approval"]["choice"] == "no"
        assert (await holder.wish(READING, [plain[1], ALWAYS, {**YES, "id": "once"}]))["approval"]["choice"] == "once"


@pytest.mark.parametrize("tool", [READING, HOOKING, WRITING])
async def test_a_wish_sent_again_is_the_same_wish(tool: Mapping[str, Any]) -> None:
    async with open_world() as world:
        holder = await Holder.begin(world)
        first = await holder.wish(tool, key="k")
        assert (await holder.wish(tool, key="k"))["approval"] == first["approval"]
        assert (await holder.wish(tool, key="l"))["approval"]["id"] != first["approval"]["id"]
        assert len(await holder.told()) == 2


async def test_a_run_that_would_have_parked_goes_on_when_the_policy_answers() -> None:
    async with open_world() as world:
        holder = await Holder.begin(world)
        for tool in (READING, HOOKING):
            answer = await holder.wish(tool, held=False)
            assert (answer["approval"]["held"], answer["task"]["status"]) == (True, "running")
        answer = await holder.wish(WRITING, held=False)
        assert (answer["approval"]["held"], answer["task"]["status"]) == (False, "input_required")
        assert (await holder.send(READING)).status_code == 409  # the grant is burnt


async def test_what_is_held_back_of_the_output_is_told_when_the_run_parks_and_not_when_it_goes_on() -> None:
    """It may be the beginning of a secret, whose end is still to come."""
    async with open_world() as world:
        ok(await world.client.put("/v1/secrets/anthropic", json={"value": "sk-ant-0123456789abcdef"}))
        holder = await Holder.begin(world)
        path = f"/v1/agent/tasks/{holder.task}/output"

        async def told(*texts: str) -> str:
            for text in texts:
                ok(await world.worker.post(path, json={"output": text, **holder.word}))
            return "".join(each["output"] for each in (await world.get(path))["outputs"])

        assert await told("key: ", "sk-ant-0123") == "key: "
        await holder.wish(READING, held=False)
        assert "sk-ant" not in await told("456789abcdef.", " sk-")
        await holder.wish(WRITING, held=False)
        assert (await told()).endswith(" sk-")


async def test_while_people_are_asked_the_policy_answers_other_wishes() -> None:
    async with open_world() as world:
        holder = await Holder.begin(world)
        open_one = (await holder.wish(WRITING))["approval"]["id"]
        answer = await holder.wish(READING)
        assert (answer["approval"]["status"], answer["task"]["status"]) == ("answered", "input_required")
        assert (await holder.shown())["awaiting"] == [open_one]


async def test_a_lapsed_holder_that_wishes_is_back() -> None:
    async with open_world() as world:
        holder = await Holder.begin(world)
        world.clock.advance(minutes=2)
        await world.services.maintenance.sweep()
        assert (await holder.shown())["status"] == "pending"
        assert (await holder.wish(READING))["task"]["status"] == "running"
        assert (await holder.shown())["attempts_charged"] == 0


async def test_a_codebase_that_is_gone_has_no_checkout() -> None:
    async with open_world() as world:
        task = ok(await world.client.post("/v1/agent/tasks", json={"prompt": "p"}))["id"]
        words = {"task_id": task, "worker_id": "w1", "lease": True}
        holder = Holder(world, ok(await world.worker.post("/v1/worker/tasks/claim", json=words)))
        assert (await holder.wish(READING))["approval"]["asked_by_rule"] == "outside_checkout"


async def test_an_engine_that_fails_denies() -> None:
    """At a rule with two values, which shows when both are there."""
    mine = 'verdict := {"decision": "allow", "rule": path} if some path in input.tool.paths'
    modules = {**shipped_policy(), "agent.rego": f"package codetether.agent\nimport rego.v1\n{mine}"}
    async with open_world(RegoPolicy(modules)) as world:
        holder = await Holder.begin(world)
        assert (await holder.wish(READING))["approval"]["answered_by"] == "policy:src/a.py"
        approval = (await holder.wish({**READING, "paths": ["a", "b"]}))["approval"]
        assert (approval["choice"], approval["answered_by"]) == ("no", "policy:policy_failed")


async def test_a_policy_server_that_is_away_denies_and_is_asked_again() -> None:
    with opa_server(shipped_policy()) as shim:
        async with open_opa_server(shim.url) as server, open_world(server) as world:
            holder = await Holder.begin(world)
            assert (await holder.wish(READING))["approval"]["answered_by"] == "policy:looking"
            asked = shim.asked[-1]
            assert asked["tool"] == {"name": "Read", "kind": "read", "command": None, "paths": ["src/a.py"]}
            assert (asked["checkout"], asked["agent"], asked["worker"], asked["principal"], asked["created_by"]) == (
                "/srv/demo",
                "build",
                "w1",
                "worker",
                "admin",
            )
            shim.instead = 500, b"{}"
            assert (await holder.wish(READING))["approval"]["answered_by"] == "policy:policy_failed"
            shim.instead = None
            assert (await holder.wish(READING))["approval"]["answered_by"] == "policy:looking"


async def test_no_registered_secret_goes_to_the_policy_or_stays_with_the_wish() -> None:
    secret = "sk-ant-0123456789abcdef"
    with opa_server(shipped_policy()) as shim:
        async with open_opa_server(shim.url) as server, open_world(server) as world:
            ok(await world.client.put("/v1/secrets/anthropic", json={"value": secret}))
            holder = await Holder.begin(world)
            tool = {"name": "Bash", "kind": "execute", "command": f"curl -H {secret}", "paths": [f"x/{secret}"]}
            told = await holder.wish(tool)
            shown = await world.client.get(f"/v1/agent/approvals/{told['approval']['id']}")
            log = await world.client.get(f"/v1/agent/tasks/{holder.task}/log")
            for text in (json.dumps(shim.asked), shown.text, log.text):
                assert secret not in text and "anthropic" in text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "question"}, "tool"),
        ({"tool": {"kind": "read"}}, "tool.name"),
        ({"tool": {"name": ""}}, "tool.name"),
        ({"tool": {"name": "x" * 201}}, "tool.name"),
        ({"tool": {"name": "x", "kind": "destroy"}}, "tool.kind"),
        ({"tool": {"name": "x", "command": ["ls"]}}, "tool.command"),
        ({"tool": {"name": "x", "command": "x" * 16_385}}, "tool.command"),
        ({"tool": {"name": "x", "paths": "a"}}, "tool.paths"),
        ({"tool": {"name": "x", "paths": ["a"] * 101}}, "tool.paths"),
        ({"tool": {"name": "x", "paths": ["a" * 8193] * 2}}, "tool.paths"),
        ({"tool": {"name": "x", "paths": ["/" * 501] * 2}}, "tool.paths"),
        ({"options": [{"id": "y", "label": "Y", "kind": "allow_forever"}]}, "options.0.kind"),
        ({"options": [{"id": "y", "label": "Y", "kind": "reject_once", "allows": True}]}, "options"),
    ],
)
async def test_a_wish_that_is_none_is_refused(body: Mapping[str, Any], field: str) -> None:
    async with open_world() as world:
        holder = await Holder.begin(world)
        refused = await holder.send(**{"tool": READING, **body})
        assert (refused.status_code, refused.json()["field"]) == (422, field)
        assert (await holder.shown())["status"] == "running"


async def test_unknown_members_of_a_tool_are_ignored() -> None:
    async with open_world() as world:
        holder = await Holder.begin(world)
        assert (await holder.wish({**READING, "input": {"x": 1}}))["approval"]["choice"] == "yes"
