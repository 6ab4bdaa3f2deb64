"""What was said in runs is kept here, and told to the server once it listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import evolve

from codetether_adapters.client import AsyncClient, ConnectionFailed, TaskView
from codetether_adapters.outbox import Report
from codetether_adapters.session_cache import SessionCache
from codetether_apps.working.conversations import Conversations
from codetether_core.errors import CodeTetherError, NotFound
from codetether_core.ids import CodebaseId, SessionId, TaskId
from codetether_core.tasks import TaskState
from tests.apps.worker_stage import MovedClock

pytestmark = pytest.mark.anyio

NOW = MovedClock().now()
TASK = TaskView(
    id=TaskId("tsk_1"),
    codebase_id=CodebaseId("cbs_1"),
    status=TaskState.RUNNING,
    title="Login",
    prompt="Fix it",
    created_at=NOW - timedelta(minutes=9),
    started_at=NOW - timedelta(minutes=8),
)


class Listener:
    """A server that fails as it is told, then listens."""

    def __init__(self, *failures: CodeTetherError) -> None:
        self.worker = self
        self.sessions: dict[str, Mapping[str, Any]] = {}
        self.messages: dict[str, Mapping[str, Any]] = {}
        self.told = asyncio.Event()
        self._failures = list(failures)

    async def sync_sessions(self, codebase: str, worker_id: str, sessions: Sequence[Mapping[str, Any]]) -> None:
        """Hear of sessions."""
        if self._failures:
            raise self._failures.pop(0)
        self.sessions |= {each["id"]: each for each in sessions}

    async def sync_messages(
        self, codebase: str, session: str, worker_id: str, messages: Sequence[Mapping[str, Any]]
    ) -> None:
        """Hear of messages."""
        assert session in self.sessions
        self.messages |= {each["id"]: each for each in messages}
        self.told.set()


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SessionCache]:
    """A worker's cache."""
    made = SessionCache(tmp_path / "sessions.db")
    yield made
    made.close()


def conversations(cache: SessionCache, listener: Listener) -> Conversations:
    """A worker's conversations with that server."""
    return Conversations(worker_id="w", client=cast("AsyncClient", listener), cache=cache)


def report(status: str = "completed", **more: Any) -> Report:
    """The outcome of a run that ended now."""
    return Report(task=TASK.id, lease="1.n", status=status, created_at=NOW, **more)


async def test_both_turns_are_told_in_the_agents_session(cache: SessionCache) -> None:
    """By the server's time of the start, whatever this machine's clock says."""
    listener = Listener()
    mine = conversations(cache, listener)
    began = NOW - timedelta(minutes=3)
    await mine.record(TASK, report(result="Done", session=SessionId("ses_1")), attempt=1, began_at=began)
    await mine.sync()
    assert listener.sessions["ses_1"]["title"] == "Login"
    prompt, answer = listener.messages["prompt_tsk_1"], listener.messages["answer_tsk_1_1"]
    assert (prompt["role"], prompt["parts"][0]["text"], prompt["time"]["created"]) == (
        "user",
        "Fix it",
        TASK.created_at,
    )
    assert (answer["role"], answer["parts"][0]["text"], answer["time"]["created"]) == (
        "assistant",
        "Done",
        NOW - timedelta(minutes=5),
    )


async def test_a_run_without_a_session_is_one_of_its_own_and_a_failure_is_told_too(cache: SessionCache) -> None:
    """Its id is the task's."""
    listener = Listener()
    mine = conversations(cache, listener)
    await mine.record(TASK, report("failed", error="No disk", reason="exit_status"), attempt=2, began_at=NOW)
    await mine.sync()
    assert list(listener.sessions) == ["tsk_1"]
    answer = listener.messages["answer_tsk_1_2"]
    assert (answer["role"], answer["parts"][0]["text"]) == ("system", "Failed (exit_status): No disk")


async def test_what_the_server_did_not_hear_it_is_told_later(cache: SessionCache) -> None:
    """By the next life, or as soon as there is reason to think that it is back."""
    await conversations(cache, Listener(ConnectionFailed("x"))).sync()
    silent = Listener(*[ConnectionFailed("x")] * 2)
    before = conversations(cache, silent)
    await before.record(TASK, report(result="Done"), attempt=1, began_at=NOW)
    await before.sync()
    assert not silent.sessions
    listener = Listener(ConnectionFailed("x"))
    after = conversations(cache, listener)
    running = asyncio.create_task(after.run())
    while not listener.told.is_set():
        after.hurry()
        await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert set(listener.messages) == {"prompt_tsk_1", "answer_tsk_1_1"}


async def test_a_refusal_holds_nothing_up(cache: SessionCache) -> None:
    """A codebase that was removed meanwhile takes no history; the next one's does not wait for it."""
    listener = Listener(NotFound("codebase", "cbs_1"))
    mine = conversations(cache, listener)
    await mine.record(TASK, report(result="a"), attempt=1, began_at=NOW)
    other = evolve(TASK, id=TaskId("tsk_2"))
    await mine.record(other, report(result="b"), attempt=1, began_at=NOW)
    await mine.sync()
    assert list(listener.sessions) == ["tsk_2"]
    assert not cache.changed_since_sync()


async def test_a_proxys_word_is_no_refusal(cache: SessionCache) -> None:
    """It is asked again."""
    listener = Listener(NotFound("route", "/"))
    mine = conversations(cache, listener)
    await mine.record(TASK, report(result="a"), attempt=1, began_at=NOW)
    await mine.sync()
    assert cache.changed_since_sync()
    await mine.sync()
    assert list(listener.sessions) == ["tsk_1"]


async def test_a_resumed_session_keeps_its_name_and_gets_more_turns(cache: SessionCache) -> None:
    """Only what is new is told."""
    listener = Listener()
    mine = conversations(cache, listener)
    said = report(result="Done", session=SessionId("ses_1"))
    await mine.record(TASK, said, attempt=1, began_at=NOW)
    await mine.sync()
    listener.messages.clear()
    resumed = evolve(TASK, id=TaskId("tsk_2"), title="And now?", metadata={"resume_session_id": "ses_1"})
    await mine.record(resumed, said, attempt=1, began_at=NOW)
    await mine.sync()
    assert listener.sessions["ses_1"]["title"] == "Login"
    assert set(listener.messages) == {"prompt_tsk_2", "answer_tsk_2_1"}


async def test_built_in_agents_converse_with_nobody(cache: SessionCache) -> None:
    """Else every echo that tries a set-up out would be history."""
    mine = conversations(cache, Listener())
    await mine.record(evolve(TASK, agent_type="echo"), report(result="a"), attempt=1, began_at=NOW)
    assert not cache.changed_since_sync()
