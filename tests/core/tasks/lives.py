"""Tasks to test with: one by hand for every standing a task can have, and any that the verbs can lead to."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from codetether_core.access import DEFAULT_TENANT
from codetether_core.errors import CodeTetherError
from codetether_core.ids import ApprovalId, CodebaseId, SessionId, TaskId, WorkerId
from codetether_core.tasks import (
    Grant,
    LeaseTerms,
    Task,
    TaskSpec,
    Word,
    answer,
    ask,
    attend,
    cancel,
    claim,
    complete,
    confirm_stop,
    consult,
    expire,
    fail,
    lapse,
    release,
    renew,
    requeue,
    wake,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
TERMS = LeaseTerms(ttl=timedelta(seconds=60), run_timeout=HOUR, silence=timedelta(minutes=5))
ANN, BOB = WorkerId("ann"), WorkerId("bob")
FIRST, SECOND_QUESTION = ApprovalId("apr_1"), ApprovalId("apr_2")

Move = Callable[[Task, datetime], Task]


def new(**spec: Any) -> Task:
    asked = TaskSpec(**{"codebase": CodebaseId("cb_1"), "title": "a title", "prompt": "a prompt"} | spec)
    return Task.new(TaskId("tsk_1"), DEFAULT_TENANT, asked, created_by="carol", now=NOW)


def claimed(task: Task, worker: WorkerId = ANN, now: datetime = NOW, *, tokened: bool = True) -> Task:
    number = task.grant.number + 1 if task.grant else 1
    return claim(
        task,
        worker=worker,
        principal=f"principal of {worker}",
        now=now,
        terms=TERMS,
        nonce=f"nonce{number}",
        tokened=tokened,
    )


def grant_of(task: Task) -> Grant:
    assert task.grant is not None
    return task.grant


def word(task: Task) -> Word:
    """What the last worker that was granted this task says to be heard; Ann's word if nobody was."""
    return word_of(task.grant) if task.grant else Word(worker=ANN, principal=f"principal of {ANN}")


def word_of(grant: Grant) -> Word:
    return Word(worker=grant.worker, principal=grant.principal, token=grant.token if grant.tokened else None)


def asked(task: Task, now: datetime = NOW, *, held: bool, approval: ApprovalId = FIRST) -> Task:
    return ask(task, word(task), now, TERMS, approval=approval, deadline=now + HOUR, held=held)


def failed(task: Task, now: datetime = NOW, **more: Any) -> Task:
    return fail(task, word(task), now, TERMS, error="it broke", **more)


RUNNING = claimed(new())
HELD = asked(RUNNING, held=True)
STANDINGS: Mapping[str, Task] = MappingProxyType(
    {
        "fresh": new(),
        "put off": failed(RUNNING, retry_after=HOUR),
        "released": release(RUNNING, word(RUNNING), NOW, TERMS),
        "lapsed": lapse(RUNNING, NOW),
        "lapsed, asking": lapse(HELD, NOW),
        "running": RUNNING,
        "running, without a token": claimed(new(), tokened=False),
        "asking, held": HELD,
        "asking twice, held": asked(HELD, held=True, approval=SECOND_QUESTION),
        "asking, parked": asked(RUNNING, held=False),
        "completed": complete(RUNNING, word(RUNNING), NOW, TERMS, result="done"),
        "failed": failed(RUNNING),
        "exhausted by silence": lapse(claimed(new(max_attempts=1)), NOW),
        "expired unclaimed": expire(new(), NOW, reason="start_by", error="too late"),
        "cancelled unclaimed": cancel(new(), NOW, by="carol"),
        "cancelled, still running": cancel(RUNNING, NOW, by="carol"),
        "cancelled, stopped": confirm_stop(cancel(RUNNING, NOW, by="carol"), word(RUNNING), NOW),
    }
)

MOVES: Mapping[str, Move] = MappingProxyType(
    {
        "claim with a token": lambda task, now: claimed(task, ANN, now),
        "claim without": lambda task, now: claimed(task, BOB, now, tokened=False),
        "renew": lambda task, now: renew(task, word(task), now, TERMS),
        "renew with a session": lambda task, now: renew(task, word(task), now, TERMS, session=SessionId("s")),
        "attend": lambda task, now: attend(task, BOB, f"principal of {BOB}", now, TERMS),
        "lapse": lapse,
        "release": lambda task, now: release(task, word(task), now, TERMS),
        "requeue": requeue,
        "wake": wake,
        "ask a policy": lambda task, now: consult(task, word(task), now, TERMS),
        "ask and hold": lambda task, now: asked(task, now, held=True, approval=ApprovalId(f"apr_{len(task.awaiting)}")),
        "ask and park": lambda task, now: asked(task, now, held=False),
        "answer the first": lambda task, now: answer(
            task, (*task.awaiting, FIRST)[0], now, next_deadline=now + HOUR if task.awaiting[1:] else None
        ),
        "complete": lambda task, now: complete(task, word(task), now, TERMS, result="done"),
        "fail": failed,
        "fail and retry": lambda task, now: failed(task, now, retry_after=SECOND),
        "expire": lambda task, now: expire(task, now, reason="run_deadline", error="too long"),
        "cancel": lambda task, now: cancel(task, now, by="carol"),
        "confirm the stop": lambda task, now: confirm_stop(task, word(task), now),
    }
)


def moved(task: Task, move: Move, now: datetime) -> Task:
    """The task after the move, or as it is if the move is refused."""
    try:
        return move(task, now)
    except CodeTetherError:
        return task


passing = st.sampled_from([timedelta(0), TICK, SECOND, TERMS.ttl - TICK, TERMS.ttl, TERMS.silence, HOUR])
"""How long until the next thing happens."""

walks = st.lists(st.tuples(st.sampled_from(sorted(MOVES)), passing), max_size=12)
"""Things that are tried one after the other."""


def walk(task: Task, steps: Iterable[tuple[str, timedelta]], now: datetime = NOW) -> list[Task]:
    """Every value that the task has on the way."""
    lives = [task]
    for name, pause in steps:
        now += pause
        lives.append(moved(lives[-1], MOVES[name], now))
    return lives


specs: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    max_attempts=st.integers(1, 3),
    run_timeout=st.none() | st.sampled_from([SECOND, HOUR]),
    start_by=st.none() | st.just(NOW + HOUR),
)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Any task that the verbs can lead to."""
    start = draw(st.just(new(**draw(specs))) | st.sampled_from(list(STANDINGS.values())))
    return walk(start, draw(walks))[-1]


@st.composite
def held_tasks(draw: st.DrawFn) -> Task:
    """Any task whose last grant still counts: running, asking and holding, or lapsed."""
    task = new(max_attempts=draw(st.integers(2, 4)))
    for _ in range(draw(st.integers(0, 2))):
        task = walk(claimed(task), [("renew", timedelta(0)), ("release", SECOND)])[-1]
    task = claimed(task, tokened=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 2))):
        task = asked(task, held=True, approval=ApprovalId(f"apr_{len(task.awaiting)}"))
    if draw(st.booleans()):
        task = lapse(task, NOW + TERMS.ttl)
    return task
