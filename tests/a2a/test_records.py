"""Whatever becomes of a task, its log is a legal stream in both dialects, from wherever it is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.a2a.records import SEQUENCE, Left, Teller
from codetether_adapters.a2a.telling import shown
from codetether_adapters.a2a_wire.v03 import V03
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.a2a_wire.values import TERMINAL, ArtifactUpdate, StatusUpdate, TaskState
from codetether_adapters.tail import encode
from codetether_core.access import DEFAULT_TENANT
from codetether_core.approvals import Approval, ApprovalKind
from codetether_core.approvals import answer as answer_approval
from codetether_core.artifacts import Artifact, BlobId
from codetether_core.errors import CodeTetherError
from codetether_core.events import Event, Record
from codetether_core.ids import ApprovalId, CodebaseId, TaskId, WorkerId
from codetether_core.services.task_writer import approval_event
from codetether_core.tasks import (
    LeaseTerms,
    OutputChunk,
    Task,
    TaskSpec,
    Word,
    answer,
    ask,
    attach,
    cancel,
    change,
    claim,
    complete,
    fail,
    lapse,
    output_event,
    release,
    renew,
    requeue,
)

START = datetime(2026, 11, 22, tzinfo=UTC)
TERMS = LeaseTerms()
LIVES = st.lists(
    st.sampled_from(
        ("claim", "say", "say", "json", "tool", "err", "leave", "ask", "park", "sign in", "answer", "lapse", "renew",
         "release", "requeue", "retry", "complete", "reject", "cancel")
    ),
    max_size=25,
)  # fmt: skip


class Life:
    """A task to which what is told happens, as far as it may, and its log."""

    def __init__(self) -> None:
        spec = TaskSpec(codebase=CodebaseId("global"), title="t", prompt="p")
        self.now = START
        self.task = Task.new(TaskId("tsk_1"), DEFAULT_TENANT, spec, created_by="ann", now=START)
        self.approvals: dict[str, Approval] = {}
        self.records: list[Record] = []
        self.snapshots: list[tuple[int, Task, Sequence[Approval]]] = [(0, self.task, ())]
        self._log([change(None, self.task)])

    def happen(self, what: str) -> None:
        self.now += timedelta(seconds=1)
        try:
            events = self._events(what)
        except CodeTetherError:
            return
        self._log(events)
        self.snapshots.append((len(self.records), self.task, tuple(self.approvals.values())))

    def _events(self, what: str) -> list[Event | None]:
        old, now = self.task, self.now
        grant = old.grant
        word = Word(worker=WorkerId("w"), principal="bot", token=grant.token if grant else "0.x")
        said: list[Event] = []
        if what in ("say", "json", "tool", "err"):
            if grant is None or old.holder is None:
                return []
            return [output_event(old, grant, CHUNKS[what], now)]
        match what:
            case "claim":
                new = claim(
                    old, worker=word.worker, principal="bot", now=now, terms=TERMS, nonce=f"{len(self.records)}"
                )
            case "ask" | "park" | "sign in":
                asked = self._ask(what, word)
                new = ask(old, word, now, TERMS, approval=asked.id, deadline=asked.deadline, held=what != "park")
                self.approvals[asked.id] = asked
                said = [approval_event(asked)]
            case "answer":
                if not old.awaiting:
                    return []
                id = old.awaiting[0]
                new = answer(old, id, now)
                self.approvals[id] = answer_approval(self.approvals[id], now, by="ann", text="yes")
                said = [approval_event(self.approvals[id])]
            case "leave":
                file = Artifact(
                    name="n",
                    media_type="text/plain",
                    size=1,
                    blob=BlobId("0" * 64),
                    attempt=1,
                    created_at=now,
                )
                new = attach(old, word, file, now, TERMS)
            case "lapse":
                new = lapse(old, now)
            case "renew":
                new = renew(old, word, now, TERMS)
            case "release":
                new = release(old, word, now, TERMS)
            case "requeue":
                new = requeue(old, now)
            case "retry":
                new = fail(old, word, now, TERMS, error="e", retry_after=timedelta(seconds=1))
            case "complete":
                new = complete(old, word, now, TERMS, result="r")
            case "reject":
                new = fail(old, word, now, TERMS, error="e", reason="rejected")
            case _:
                new = cancel(old, now, by="ann")
        self.task = new
        return [] if new is old else [change(old, new), *said]

    def _ask(self, what: str, word: Word) -> Approval:
        return Approval(
            id=ApprovalId(f"apr_{len(self.records)}"),
            tenant=DEFAULT_TENANT,
            task=self.task.id,
            codebase=self.task.spec.codebase,
            grant=word.token or "",
            kind=ApprovalKind.AUTH if what == "sign in" else ApprovalKind.QUESTION,
            prompt="?",
            created_at=self.now,
            deadline=self.now + timedelta(hours=1),
            held=what != "park",
        )

    def _log(self, events: Sequence[Event | None]) -> None:
        for event in events:
            if event is not None:
                number = len(self.records) + 1
                body = encode(event.data)
                self.records.append(Record(number, number, event.topic, event.kind, event.at, body))


CHUNKS = {
    "say": OutputChunk(text="words"),
    "json": OutputChunk(text='{"type":"text","part":{"text":"words"}}'),
    "tool": OutputChunk(text='{"type":"tool_use","part":{"tool":"bash"}}'),
    "err": OutputChunk(text="trouble", stream="stderr"),
}


@given(lives=LIVES, data=st.data())
def test_every_life_is_a_legal_stream(lives: list[str], data: st.DataObject) -> None:
    life = Life()
    for what in lives:
        life.happen(what)
    known, task, approvals = data.draw(st.sampled_from(life.snapshots))
    snapshot = shown(task, approvals)
    teller = Teller("tsk_1", "tsk_1", state=snapshot.status.state)
    told = [
        (record, each)
        for record in life.records
        if not teller.ended
        for each in teller.tell(record, statuses=record.number > known)
    ]
    states = [snapshot.status.state, *(each.status.state for _, each in told if isinstance(each, StatusUpdate))]
    assert TaskState.UNSPECIFIED not in states
    assert all(state not in TERMINAL for state in states[:-1]), "nothing follows the end"
    assert TaskState.SUBMITTED not in states[1:], "who was at work is not put back"
    if task.ended:
        assert states[1:] == [], "the snapshot is all there is to be told"
    elif life.task.ended:
        assert states[-1] is shown(life.task, ()).status.state
    pieces = [each.append for _, each in told if isinstance(each, ArtifactUpdate)]
    assert not pieces or pieces[0] is False, "there is nothing yet to go on with"
    for dialect in (V1, V03):
        for _, each in told:
            if not isinstance(each, Left):
                assert dialect.parse(type(each), dialect.dump(each)) == each


@given(lives=LIVES, data=st.data())
def test_spans_of_records_meet_and_a_reader_that_comes_back_hears_the_same(
    lives: list[str], data: st.DataObject
) -> None:
    life = Life()
    for what in lives:
        life.happen(what)
    whole = Teller("tsk_1", "tsk_1")
    heard: list[tuple[int, int, list[Any]]] = []
    for record in life.records:
        before = whole.printing
        if told := whole.tell(record):
            heard.append((record.number, before, told))
    spans = [told[0].metadata[SEQUENCE] for _, _, told in heard]
    assert all(one["sequence"] + 1 == other["first"] for one, other in pairwise(spans))
    if not heard:
        return
    at = data.draw(st.integers(0, len(heard) - 1))
    number, printing, _ = heard[at]
    again = Teller("tsk_1", "tsk_1", printing=printing)
    repeated = [each for record in life.records if record.number >= number for each in again.tell(record)]
    rest = [each for _, _, told in heard[at:] for each in told]
    assert [bare(each) for each in repeated if not same_state(each)] == [
        bare(each) for each in rest if not same_state(each)
    ]


def bare(each: Any) -> Any:
    return type(each), getattr(each, "artifact", None), getattr(each, "append", None), getattr(each, "status", None)


def same_state(each: Any) -> bool:
    """A mere word that it is at work: who comes back may be told so once more."""
    return isinstance(each, StatusUpdate) and each.status.state is TaskState.WORKING and each.status.message is None
