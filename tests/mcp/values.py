"""Any values of the domain that tools may have to tell of, and any arguments that a model may think of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from codetether_core.access import DEFAULT_TENANT
from codetether_core.agents import Agent
from codetether_core.approvals import Approval, ApprovalKind, Option
from codetether_core.codebases import Codebase
from codetether_core.ids import AgentName, ApprovalId, CodebaseId, SessionId, TaskId, WorkerId
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import Task, TaskSpec, TaskState
from codetether_core.workers import Worker

__all__ = ["ARGUMENTS", "EPOCH", "JSON", "agents", "approvals", "codebases", "messages", "sessions", "tasks", "workers"]

EPOCH = datetime(2026, 11, 22, tzinfo=UTC)
_WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
_TEXTS = _WORDS | _NAMES.map(lambda text: text * 1_000)
_MOMENTS = st.integers(-(2**40), 2**40).map(lambda at: EPOCH + timedelta(microseconds=at))
_STATES = st.sampled_from(TaskState)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMED = st.sampled_from(
    ["codebase", "prompt", "task_id", "answer", "limit", "cursor", "query", "status", "since", "session_id", "agent",
     "text", "name", "path", "timeout_seconds", "roles", "detail", "tail", "max_chars", "priority", "codebase_id"]
)  # fmt: skip
ARGUMENTS = st.dictionaries(_NAMED | st.text(max_size=8), JSON | st.sampled_from(["global", "x", "e30", "W10"]))


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def _tuple(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3).map(tuple)


def codebases(id: str) -> st.SearchStrategy[Codebase]:
    return st.builds(
        Codebase,
        id=st.just(CodebaseId(id)),
        tenant=st.just(DEFAULT_TENANT),
        name=_NAMES,
        path=_NAMES,
        registered_at=_MOMENTS,
        updated_at=_MOMENTS,
        description=_TEXTS,
        workers=st.sampled_from([frozenset[WorkerId](), frozenset({WorkerId("w1")})]),
        watching=st.booleans(),
        last_triggered=_maybe(_MOMENTS),
    )


def tasks(id: str, codebase: str, awaiting: tuple[ApprovalId, ...] = ()) -> st.SearchStrategy[Task]:
    spec = st.builds(
        TaskSpec,
        codebase=st.sampled_from([CodebaseId(codebase), CodebaseId("global")]),
        title=_TEXTS,
        prompt=_TEXTS,
        agent_type=_NAMES,
        priority=st.integers(-(2**31), 2**31 - 1),
    )
    return st.builds(
        Task,
        id=st.just(TaskId(id)),
        tenant=st.just(DEFAULT_TENANT),
        spec=spec,
        created_by=st.sampled_from(["alice", "bob"]),
        created_at=_MOMENTS,
        updated_at=_MOMENTS,
        state=st.just(TaskState.INPUT_REQUIRED) if awaiting else _STATES,
        started_at=_maybe(_MOMENTS),
        ended_at=_maybe(_MOMENTS),
        session=_maybe(_NAMES.map(SessionId)),
        result=_maybe(_TEXTS),
        error=_maybe(_TEXTS),
        reason=_maybe(st.sampled_from(["lapsed", "rejected"])),
        awaiting=st.just(awaiting),
        stopped=st.booleans(),
    )


def approvals(id: str, task: str) -> st.SearchStrategy[Approval]:
    return st.builds(
        Approval,
        id=st.just(ApprovalId(id)),
        tenant=st.just(DEFAULT_TENANT),
        task=st.just(TaskId(task)),
        codebase=st.just(CodebaseId("global")),
        grant=st.just("1.n"),
        kind=st.sampled_from(ApprovalKind),
        prompt=_TEXTS,
        created_at=_MOMENTS,
        deadline=_MOMENTS,
        options=_tuple(st.builds(Option, id=_NAMES, label=_TEXTS)),
    )


def sessions(id: str, codebase: str) -> st.SearchStrategy[Session]:
    return st.builds(
        Session,
        id=st.just(SessionId(id)),
        tenant=st.just(DEFAULT_TENANT),
        codebase=st.just(CodebaseId(codebase)),
        created_at=_MOMENTS,
        updated_at=_MOMENTS,
        synced_at=_MOMENTS,
        title=_TEXTS,
        agent=_maybe(_NAMES),
    )


def messages(session: str) -> st.SearchStrategy[list[SessionMessage]]:
    parts = JSON | st.builds(lambda text: {"type": "text", "text": text}, JSON | _TEXTS)
    one = st.builds(
        SessionMessage,
        id=_NAMES,
        session=st.just(SessionId(session)),
        role=st.sampled_from(["user", "assistant", "system", "tool"]),
        created_at=_MOMENTS,
        parts=_tuple(parts),
        tool_calls=_tuple(JSON | st.builds(lambda name: {"tool": name}, JSON | _TEXTS)),
    )
    return st.lists(one, max_size=4, unique_by=lambda message: message.id)


def agents() -> st.SearchStrategy[Agent]:
    return st.builds(
        Agent,
        name=_NAMES.map(AgentName),
        tenant=st.just(DEFAULT_TENANT),
        principal=st.just("ann"),
        registered_at=_MOMENTS,
        last_seen=_MOMENTS,
        description=_TEXTS,
        models_supported=_tuple(_NAMES),
    )


def workers() -> st.SearchStrategy[Worker]:
    return st.builds(
        Worker,
        id=st.just(WorkerId("w1")),
        tenant=st.just(DEFAULT_TENANT),
        principal=st.just("bot"),
        name=_NAMES,
        registered_at=_MOMENTS,
        last_seen=_MOMENTS,
        hostname=_WORDS,
        agents=_tuple(_NAMES),
        capabilities=_tuple(_NAMES),
        models=_tuple(st.builds(lambda id: {"id": id}, _NAMES)),
        left_at=_maybe(_MOMENTS),
    )
