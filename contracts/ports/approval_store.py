"""The contract of ``ApprovalStore``: reading what ``TaskStore.replace`` wrote."""

from __future__ import annotations

import unittest
from typing import Any, Final

from attrs import evolve

from codetether_core.access import ToolKind, ToolUse
from codetether_core.approvals import Approval, ApprovalKind, ApprovalState, Option, OptionKind, expire
from codetether_core.errors import NotFound
from codetether_core.ids import ApprovalId, TaskId
from codetether_core.ports import ApprovalChange, Backend
from contracts.ports.harness import Example, OpenBackend, examples, raises
from contracts.ports.samples import CODEBASE, MICROSECOND, NOW, OTHER_TENANT, SECOND, TENANT, new_task

__all__ = ["approval_store_contract"]


def approval_store_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Getting and listing; that they are swapped with their task is in the task store's contract."""
    return examples("ApprovalStoreContract", open_backend, _EXAMPLES)


def _approval(id: str, task: str = "t", offset: int = 0, **more: Any) -> Approval:
    asked = {"tenant": TENANT, "codebase": CODEBASE, "grant": "1.n", "kind": ApprovalKind.PERMISSION, "prompt": "?"}
    at = NOW + offset * MICROSECOND
    return Approval(id=ApprovalId(id), task=TaskId(task), created_at=at, deadline=at + SECOND, **{**asked, **more})


async def _ask(backend: Backend, task: str, *approvals: Approval) -> None:
    asking = new_task(task)
    await backend.tasks.add(asking)
    changes = [ApprovalChange(None, approval) for approval in approvals]
    await backend.tasks.replace(asking, evolve(asking, version=2), approvals=changes)


async def what_was_asked_comes_back_equal(backend: Backend) -> None:
    """Every member; not found by another tenant."""
    approval = _approval(
        "ünïcode '%",
        options=(
            Option(id="y", label="Yes"),
            Option(id="n", label="é", allows=False),
            Option(id="never", label="Never", kind=OptionKind.REJECT_ALWAYS),
        ),
        tool=ToolUse(name="Bash", kind=ToolKind.EXECUTE, command="rm -rf \x00", paths=("a", "ü")),
        asked_by_rule="otherwise",
        details={"command": ["rm", "-rf"], "n": None},
        held=False,
    )
    said = _approval(
        "said",
        state=ApprovalState.ANSWERED,
        version=2,
        text="yes",
        answered_by="é",
        reply={"parts": [{"text": "yes"}, {"data": {"n": None}}]},
        reply_key="k",
        ended_at=NOW + MICROSECOND,
    )
    await _ask(backend, "t", approval, said)
    assert await backend.approvals.get(TENANT, approval.id) == approval
    assert await backend.approvals.get(TENANT, said.id) == said
    await raises(NotFound, backend.approvals.get(OTHER_TENANT, approval.id))
    await raises(NotFound, backend.approvals.get(TENANT, ApprovalId("none")))


async def approvals_are_listed_newest_first(backend: Backend) -> None:
    """To the microsecond, then by id; by task, by state, bounded."""
    first = [_approval("a", offset=2), _approval("b", offset=1), _approval("c", offset=2)]
    await _ask(backend, "t", *first)
    await _ask(backend, "u", _approval("d", "u", offset=5))
    task = await backend.tasks.get(TENANT, TaskId("t"))
    expired = ApprovalChange(first[1], expire(first[1], NOW))
    await backend.tasks.replace(task, evolve(task, version=3), approvals=[expired])

    async def listed(**conditions: Any) -> str:
        return "".join(approval.id for approval in await backend.approvals.list(TENANT, **conditions))

    assert await listed() == "dcab"
    assert await listed(limit=2) == "dc"
    assert await listed(task=TaskId("t")) == "cab"
    assert await listed(state=ApprovalState.EXPIRED) == "b"
    assert await listed(task=TaskId("t"), state=ApprovalState.OPEN) == "ca"
    assert await listed(task=TaskId("none")) == ""
    assert not await backend.approvals.list(OTHER_TENANT)


_EXAMPLES: Final[tuple[Example, ...]] = (what_was_asked_comes_back_equal, approvals_are_listed_newest_first)
