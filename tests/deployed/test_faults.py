"""What breaks around a deployed worker, and what becomes of its task."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from codetether_core.tasks import TaskState
from tests.deployed.program import Program
from tests.deployed.sessions import SESSION, keep_session
from tests.deployed.site import TOKEN, Site, follow_until
from tests.deployed.wire import Wire

CONNECTED = "SSE connection confirmed"


def test_a_killed_server_costs_a_running_task_nothing(site: Site) -> None:
    """Its run goes on meanwhile, is not started again, and its outcome counts."""
    site.settings["CODETETHER_LEASE_TTL"] = "30s"
    server, worker, gate, runs = site.serve(), site.hire(), site.gate(), site.directory / "runs"
    task = site.submit(f"echo run >> {runs}; say begun; read go < {gate}; say done")
    events = task.events()
    follow_until(events, "begun")
    said = len(worker.lines)
    server.kill()
    site.serve()
    worker.until(CONNECTED, after=said)
    gate.open()
    assert follow_until(events, "complete").data["result"] == "begun\ndone"
    view = task.refresh()
    assert (view.attempt, view.attempts_charged, _count(runs)) == (1, 0, 1)


def test_a_killed_worker_is_missed_and_another_takes_over(site: Site, server: Program) -> None:
    first, runs = site.hire(), site.directory / "runs"
    task = site.submit(f"echo run >> {runs}; if [ $(wc -l < {runs}) = 1 ]; then say begun; sleep 60; fi; say done")
    events = task.events()
    follow_until(events, "begun")
    first.kill()
    site.hire("second")
    assert follow_until(events, "worker_lost").status is TaskState.PENDING
    assert task.result() == "done"
    view = task.refresh()
    assert (view.attempt, view.attempts_charged, view.worker_id, _count(runs)) == (2, 1, "wrk-second", 2)


@pytest.mark.usefixtures("server")
def test_an_erased_session_does_not_come_back_with_the_worker_that_has_it_still(site: Site) -> None:
    """It tells of it again whenever it begins, with others, is answered as ever, and goes on with its work."""
    keep_session(site.home(), site.checkout)
    first, sessions = site.hire(), site.client.sessions
    assert [session.id for session in sessions.list("demo")] == [SESSION]
    assert sessions.delete("demo", SESSION) == 0
    first.kill()
    keep_session(site.home(), site.checkout, "ses_later")
    again = site.hire()
    assert site.submit("good morning", agent="echo").result() == "good morning"
    assert [session.id for session in sessions.list("demo")] == ["ses_later"]
    assert len(sessions.messages("demo", "ses_later")) == 1
    assert not sessions.messages("demo", SESSION)
    assert not [line for line in again.lines if "ession" in line and "ailed" in line], again.said


def test_a_worker_that_comes_back_by_its_old_name_does_not_hold_what_it_has_forgotten(site: Site) -> None:
    """Its presence alone would renew the dead process's lease; that it is a new one shows in how it starts."""
    site.settings["CODETETHER_LEASE_TTL"] = "60s"
    site.serve()
    worker, runs = site.hire(), site.directory / "runs"
    task = site.submit(f"echo run >> {runs}; if [ $(wc -l < {runs}) = 1 ]; then say begun; sleep 60; fi; say done")
    follow_until(task.events(), "begun")
    worker.kill()
    site.hire()
    assert task.result() == "done"
    view = task.refresh()
    assert (view.attempt, view.attempts_charged) == (2, 1)


def test_a_cut_stream_does_not_start_a_run_twice(site: Site, server: Program) -> None:
    """1.4.3's own server dropped the claim with the stream, and ran the task twice (wire.md, T-2)."""
    with _wire(site) as wire:
        worker = site.hire(server=f"http://anybody:{TOKEN}@127.0.0.1:{wire.port}")
        other, gate, runs = site.hire("other"), site.gate(), site.directory / "runs"
        task = site.submit(f"echo run >> {runs}; say begun; read go < {gate}; say done", target_worker="wrk-first")
        events = task.events()
        follow_until(events, "begun")
        for _ in range(2):
            said = len(worker.lines)
            wire.cut()
            worker.until(CONNECTED, after=said)
        gate.open()
        assert follow_until(events, "complete").data["result"] == "begun\ndone"
        view = task.refresh()
        assert (view.attempt, view.attempts_charged, _count(runs)) == (1, 0, 1)
        assert not [line for line in other.lines if task.id in line]


def test_a_requeued_task_reaches_the_same_process_again(site: Site, server: Program) -> None:
    """It ignores an id that its stream has brought before; so the stream ends, and it polls (wire.md, 4.2)."""
    worker, gate, runs = site.hire(), site.gate(), site.directory / "runs"
    task = site.submit(
        f"echo run >> {runs}; if [ $(wc -l < {runs}) = 1 ]; then say begun; read go < {gate}; fi; say $(wc -l < {runs})"
    )
    events = task.events()
    follow_until(events, "begun")
    site.client.tasks.requeue(task.id)
    assert follow_until(events, "complete").data["result"] == "2"
    said = len(worker.lines)
    gate.open()  # now the first run ends too, and changes nothing
    worker.until(task.id, "completed", after=said)
    view = task.refresh()
    assert (view.result, view.attempt, view.attempts_charged) == ("2", 2, 0)


def test_presence_keeps_a_silent_run_for_a_bounded_time(site: Site) -> None:
    """Far longer than a lease, and not for ever: a worker that lives may have lost the task all the same."""
    ttl, silence = timedelta(seconds=1), timedelta(seconds=4)
    site.settings |= {"CODETETHER_LEASE_TTL": "1s", "CODETETHER_LEASE_SILENCE": "4s"}
    site.serve()
    site.hire()
    task = site.submit("say begun; sleep 60", max_attempts=1)
    events = list(task.events())
    last_word = max(event.at for event in events[:-1] if event.at)
    assert events[-1].data["reason"] == "worker_lost"
    assert events[-1].at is not None
    assert events[-1].at - last_word > silence - ttl


def test_a_worker_that_is_told_to_leave_loses_no_task(site: Site) -> None:
    """It ends its runs, calls that a failure, and signs off; we know better. Others take the task."""
    site.settings["CODETETHER_LEASE_TTL"] = "60s"
    site.serve()
    worker, runs = site.hire(), site.directory / "runs"
    task = site.submit(
        f"echo run >> {runs}; if [ $(wc -l < {runs}) = 1 ]; then say begun; read go < {site.gate()}; fi; say done"
    )
    events = task.events()
    follow_until(events, "begun")
    worker.signal(signal.SIGTERM)
    worker.until("Received shutdown signal")
    waiting = site.submit("for somebody else", agent="echo")  # it leaves at the next line of its stream
    worker.until("Worker stopped")
    assert worker.wait() == 0
    assert [each.status for each in site.client.workers.list()] == ["left"]
    site.hire("second")
    assert (waiting.result(), task.result()) == ("for somebody else", "done")
    assert task.refresh().worker_id == "wrk-second"


@contextmanager
def _wire(site: Site) -> Iterator[Wire]:
    wire = Wire(site.port)
    try:
        yield wire
    finally:
        wire.close()


def _count(path: Path) -> int:
    """How often an agent was started."""
    return len(path.read_text().splitlines())
