"""Every engine judges agents' wishes as ``contracts/policy/cases.json`` says; one that fails says no, and is heard."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.opa import PolicyBroken, RegoPolicy, open_opa_server, shipped_policy
from codetether_adapters.opa.question import wish
from codetether_core.access import POLICY_FAILED, UNDEFINED, Decision, ToolKind, ToolRequest, ToolUse, Verdict
from codetether_core.ports import AgentPolicy
from codetether_core.services import AgentRules
from tests.contracts.policy import AGENT_CASES
from tests.policy.opa import RealOpa, opa_server

pytestmark = pytest.mark.anyio

ENGINES: Final = ("rules", "rego", "opa", "opa-server")
SHIPPED: Final = shipped_policy()
READING: Final = AGENT_CASES[0].request
MINE: Final = "package codetether.agent\nimport rego.v1\n"


@asynccontextmanager
async def policy(engine: str) -> AsyncIterator[AgentPolicy]:
    """The shipped policy, decided by that engine."""
    match engine:
        case "rules":
            yield AgentRules()
        case "rego":
            yield RegoPolicy(SHIPPED)
        case "opa":
            yield RealOpa(SHIPPED)
        case _:
            with opa_server(SHIPPED) as shim:
                async with open_opa_server(shim.url) as server:
                    yield server


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_cases_of_the_contract(engine: str) -> None:
    async with policy(engine) as agents:
        for case in AGENT_CASES:
            verdict = await agents.judge(case.request)
            assert (verdict.decision, verdict.rule) == (case.decision, case.rule), case.name
            assert verdict == await AgentRules().judge(case.request), "with the same words"


def rules() -> Iterator[tuple[str, str]]:
    """Each rule of the shipped policy, and what is left of the policy without it."""
    text = SHIPPED["agent.rego"]
    for number, block in enumerate(text.split("\n\n")):
        if not block.startswith(("package", "import", "#")):
            first = re.sub(r"\W+", "-", block.partition("\n")[0]).strip("-")
            yield f"{number}-{first}", text.replace(block, "", 1)


@pytest.mark.parametrize("left", [pytest.param(left, id=rule) for rule, left in rules()])
async def test_every_rule_matters(left: str) -> None:
    """A policy that lacks it does not compile, or judges one of the cases otherwise."""
    try:
        lacking = RegoPolicy({**SHIPPED, "agent.rego": left})
    except PolicyBroken:
        return
    for case in AGENT_CASES:
        verdict = await lacking.judge(case.request)
        if (verdict.decision, verdict.rule) != (case.decision, case.rule):
            return
    pytest.fail("nobody misses it")


NAMES: Final = st.sampled_from(
    [
        *("", ".", "..", "~", "srv", "demo", "etc", "src", "a.py", "\\", "x y", "é", "\n"),
        *(".git", "config", ".GIT", ".gitignore", ".env", ".Env", ".env.", ".env.local", ".environment", "id_rsa.pub"),
        *(".aws", ".docker", ".git-credentials", ".gnupg", ".htpasswd", ".kube", ".netrc", ".npmrc", ".pgpass", ".ssh"),
        *(".pypirc", "id_dsa", "id_ecdsa", "id_ed25519", "id_", "a.pem", "pem", ".key", "a.jks", "b.KDBX", "c.p12"),
        *("d.pfx", "e.keystore", "f.keys", ".azure", ".envrc", ".vault-token", "prod.env", "a.ppk", "b.tfstate"),
        *("$HOME", "%TEMP%", "C:", "file:", "a:b", "modules", "config.worktree"),
    ]
)
PATHS: Final = st.lists(NAMES, max_size=4).map("/".join) | st.lists(NAMES, max_size=3).map(
    lambda parts: "/".join(["/srv/demo", *parts])
)
WISHES: Final = st.builds(
    evolve,
    st.just(READING),
    checkout=st.sampled_from(["/srv/demo", "/srv/demo/", "/", "", "srv/demo", "/srv", None]),
    tool=st.builds(
        ToolUse,
        name=st.just("tool"),
        kind=st.sampled_from(ToolKind),
        command=st.sampled_from([None, None, "", "ls"]),
        paths=st.lists(PATHS, max_size=3).map(tuple),
    ),
)
REGO: Final = RegoPolicy(SHIPPED)


@given(WISHES)
async def test_the_engine_and_the_rules_without_one_say_the_same(request: ToolRequest) -> None:
    assert await REGO.judge(request) == await AgentRules().judge(request)


@given(WISHES)
async def test_nothing_that_leads_elsewhere_is_allowed(request: ToolRequest) -> None:
    """Whatever its form."""
    verdict = await AgentRules().judge(request)
    if verdict.decision is Decision.ALLOW:
        assert request.tool.command is None
        assert not any(path.startswith(("/", "~")) or ".." in path.split("/") for path in request.paths)
        root = f"{(request.checkout or '?').rstrip('/')}/"  # which is itself inside, however it is written
        assert all(not path.startswith("/") or f"{path}/".startswith(root) for path in request.tool.paths)


async def test_a_policy_without_a_word_about_agents_leaves_it_to_people() -> None:
    mine = {"mine.rego": "package codetether.authz\nimport rego.v1\ndefault allow := false"}
    assert await RegoPolicy(mine).judge(READING) == UNDEFINED
    silent = {
        "mine.rego": f'{MINE}verdict := {{"decision": "deny", "rule": "no"}} if input.agent == "other"',
        **SHIPPED,
    }
    del silent["agent.rego"]
    assert await RegoPolicy(silent).judge(READING) == UNDEFINED
    with opa_server(silent) as shim:
        async with open_opa_server(shim.url) as server:
            assert await server.judge(READING) == UNDEFINED


async def test_a_policy_of_ones_own_may_ask_who_and_where() -> None:
    rule = '{"decision": "deny", "rule": "mine/1", "reason": "Not here."} if'
    for member, value in wish(READING).items():
        if member != "tool":
            text = f'{MINE}verdict := {rule} input.{member} == "{value}"'
            modules = {"mine.rego": text, "authz.rego": SHIPPED["authz.rego"]}
            verdict = await RegoPolicy(modules).judge(evolve(READING, tool=ToolUse(name="x")))
            assert verdict == Verdict(decision=Decision.DENY, rule="mine/1", reason="Not here.")


BROKEN: Final = [
    '"allow"',
    "true",
    "{}",
    '{"decision": "maybe", "rule": "x"}',
    '{"decision": "allow"}',
    '{"decision": "allow", "rule": ""}',
    '{"decision": "allow", "rule": "a rule"}',
    '{"decision": "allow", "rule": 1}',
    '{"decision": "allow", "rule": "x", "reason": ["y"]}',
]


@pytest.mark.parametrize("said", BROKEN)
async def test_what_is_no_verdict_denies(said: str) -> None:
    """At once where it says so of every wish, else when it is asked."""
    always = {"authz.rego": SHIPPED["authz.rego"], "mine.rego": f"{MINE}verdict := {said}"}
    with pytest.raises(PolicyBroken, match="verdict"):
        RegoPolicy(always)
    sometimes = {**always, "mine.rego": f'{MINE}verdict := {said} if input.tool.name == "{READING.tool.name}"'}
    assert await RegoPolicy(sometimes).judge(READING) == POLICY_FAILED
    with opa_server(always) as shim:
        async with open_opa_server(shim.url) as server:
            assert await server.judge(READING) == POLICY_FAILED


async def test_a_rule_that_fails_when_it_runs_denies() -> None:
    """Such as one that has two values."""
    verdict = 'verdict := {"decision": "allow", "rule": input.tool.name} if'
    both = f'{MINE}{verdict} input.tool.name == "Read"\nverdict := {{"decision": "ask", "rule": "x"}} if 1 == 1'
    assert await RegoPolicy({"authz.rego": SHIPPED["authz.rego"], "mine.rego": both}).judge(READING) == POLICY_FAILED


@pytest.mark.parametrize("instead", [(500, b"{}"), (200, b"no"), (200, b"[]"), (200, b"true")])
async def test_a_policy_server_that_does_not_say_denies(instead: tuple[int, bytes]) -> None:
    """Nor is that remembered."""
    with opa_server(SHIPPED) as shim:
        async with open_opa_server(shim.url) as server:
            shim.instead = instead
            assert await server.judge(READING) == POLICY_FAILED
            shim.instead = None
            assert (await server.judge(READING)).decision is Decision.ALLOW
    async with open_opa_server(shim.url) as server:
        assert await server.judge(READING) == POLICY_FAILED
