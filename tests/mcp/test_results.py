"""Whatever there is in the domain and whatever is asked: a result fits its schema and equals its text, and a tool that
cannot do what it is asked for says what to do instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from codetether_adapters import memory
from codetether_adapters.mcp.caller import Caller, Exchange
from codetether_adapters.mcp.catalogue import Catalogue
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.tool import Tool
from codetether_adapters.mcp.tools import TOOLS
from codetether_adapters.memory import MemoryBlobs
from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.approvals import Approval
from codetether_core.ids import ApprovalId
from codetether_core.ports import ApprovalChange, Backend
from codetether_core.services import RolePolicy, assemble
from tests.http.resources.harness import Dice, FakeClock
from tests.mcp import values

ALICE = Principal(name="alice", roles=frozenset({"editor"}))
GOOD: Mapping[str, Mapping[str, Any]] = {
    "list_codebases": {},
    "get_codebase": {"codebase": "cbs_1"},
    "register_codebase": {"name": "n", "path": "/p"},
    "create_task": {"codebase": "cbs_1", "prompt": "p"},
    "wait_task": {"task_id": "tsk_1", "timeout_seconds": 0},
    "get_task": {"task_id": "tsk_1", "detail": "full"},
    "list_tasks": {},
    "get_task_output": {"task_id": "tsk_1"},
    "answer_task": {"task_id": "tsk_2", "answer": "yes"},
    "cancel_task": {"task_id": "tsk_1"},
    "list_sessions": {"codebase": "cbs_1"},
    "get_session_messages": {"session_id": "s1"},
    "list_agents": {"online_only": False},
    "send_message": {"agent": "w1", "text": "t"},
}
MAY_FAIL = {"answer_task"}
"""Whether that is an answer depends on what is asked."""

FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def catalogue_over(backend: Backend) -> Catalogue:
    services = assemble(backend, FakeClock(values.EPOCH), Dice(), blobs=MemoryBlobs())
    return Catalogue(hub=Hub(services=services, authorizer=RolePolicy()))


async def fill(backend: Backend, data: st.DataObject) -> None:
    """One or more of everything."""
    await backend.codebases.add(data.draw(values.codebases("cbs_1")), [])
    await backend.directory.workers.add(data.draw(values.workers()), [])
    await backend.directory.agents.add(data.draw(values.agents()), [])
    await backend.tasks.add(data.draw(values.tasks("tsk_1", "cbs_1")))
    asking = data.draw(values.tasks("tsk_2", "cbs_1", (ApprovalId("apr_1"),)))
    await backend.tasks.add(asking)
    approval: Approval = data.draw(values.approvals("apr_1", "tsk_2"))
    await backend.tasks.replace(asking, evolve(asking, version=2), approvals=[ApprovalChange(old=None, new=approval)])
    await backend.sessions.put(None, data.draw(values.sessions("s1", "cbs_1")), data.draw(values.messages("s1")))


def check(tool: Tool, result: Mapping[str, Any]) -> None:
    """A result as the protocol has it, or a failure that says what to do."""
    if result["isError"]:
        (block,) = result["content"]
        assert block["type"] == "text"
        assert len(block["text"]) > 20
        assert "Next: " in block["text"]
        assert "structuredContent" not in result
        return
    structured, text = result["structuredContent"], result["content"][0]["text"]
    Draft202012Validator(tool.shown()["outputSchema"], format_checker=FormatChecker()).validate(structured)
    assert json.loads(text) == structured
    assert len(text.encode()) < 200_000


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@FEW
@given(data=st.data())
async def test_what_is_told_of_any_domain_fits_its_schema(tool: Tool, data: st.DataObject) -> None:
    async with memory.open_backend("memory://") as backend:
        await fill(backend, data)
        exchange = Exchange(caller=Caller(principal=ALICE), protocol="2026-07-28")
        result = await catalogue_over(backend).call(exchange, tool.name, GOOD[tool.name])
        check(tool, result)
        assert not result["isError"] or tool.name in MAY_FAIL, result


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
@settings(max_examples=60)
@given(arguments=values.ARGUMENTS, spoilt=st.booleans())
@example(arguments={"task_id": "\0"}, spoilt=True)
@example(arguments={"codebase": "\ud800", "query": "\ud800"}, spoilt=True)
@example(arguments={"limit": 10**30, "cursor": "e30"}, spoilt=True)
@example(arguments={"cursor": "W10", "limit": True}, spoilt=True)
@example(arguments={"cursor": "WzEsMl0"}, spoilt=True)
async def test_bad_arguments_are_told_apart_from_good_ones(tool: Tool, arguments: dict[str, Any], spoilt: bool) -> None:
    """Good ones with something wrong among them, and any."""
    async with memory.open_backend("memory://") as backend:
        given = {**GOOD[tool.name], **arguments} if spoilt else arguments
        exchange = Exchange(caller=Caller(principal=ALICE), protocol="2025-06-18")
        if tool.name == "wait_task":
            given = {**given, "timeout_seconds": 0}
        check(tool, await catalogue_over(backend).call(exchange, tool.name, given))


def test_every_tool_is_asked_here() -> None:
    assert GOOD.keys() == {tool.name for tool in TOOLS}
    assert ALICE.tenant == DEFAULT_TENANT
