"""Both clients against a real server."""

from collections.abc import Iterator
from datetime import timedelta
from secrets import token_hex
from typing import Any

import pytest
from attrs import frozen

from codetether_adapters.client import Beat, CancelNotice, Client, Offer, TaskCancelled, TaskFailed, fresh_key
from codetether_core import errors
from codetether_core.approvals import ApprovalState, Option
from codetether_core.tasks import OutputChunk, TaskState
from tests.client.both import BOTH, call, collect
from tests.client.servers import TOKEN


@frozen
class Place:
    """A codebase of the test's own, and a worker that serves it."""

    client: Client
    worker: str
    codebase: str
    name: str

    def claim(self, task: str) -> str:
        return self.client.worker.claim(self.worker, task, fresh_key()).lease.token


@pytest.fixture
def place(hub_url: str) -> Iterator[Place]:
    with Client(hub_url, token=TOKEN) as client:
        worker, name = f"wrk_{token_hex(4)}", f"app-{token_hex(4)}"
        codebase = client.worker.add_codebase(name, "/srv/app", worker_id=worker)
        client.worker.register(worker, worker, codebases=[codebase.id], slots=4)
        yield Place(client, worker, codebase.id, name)
        client.worker.unregister(worker)


def use_hub(use: str, url: str, what: Any) -> Any:
    return call(use, url, what, token=TOKEN)


@BOTH
def test_a_task_is_submitted_followed_and_its_result_read(use: str, hub_url: str, place: Place) -> None:
    task = use_hub(use, hub_url, lambda client: client.tasks.run("Say hello", codebase=place.name)).id
    token = place.claim(task)
    place.client.worker.output(place.worker, task, token, [OutputChunk(text="hel"), OutputChunk(text="lo\n")], first=0)
    place.client.worker.complete(place.worker, task, token, "done", chunks=[OutputChunk(text="bye\n")], first=2)
    events = collect(use, hub_url, lambda client: client.tasks.watch(task), token=TOKEN)
    assert [event.text for event in events if event.text] == ["hel", "lo\n", "bye\n"]
    assert [event.status for event in events if event.status] == ["pending", "running", "completed"]
    assert use_hub(use, hub_url, lambda client: client.tasks.get(task)).result == "done"


def test_a_batch_of_output_that_is_sent_again_changes_nothing(place: Place) -> None:
    handle = place.client.tasks.run("Say hello", codebase=place.codebase)
    token = place.claim(handle.id)
    for _ in range(2):
        place.client.worker.output(place.worker, handle.id, token, [OutputChunk(text="once\n")], first=0)
    place.client.worker.complete(place.worker, handle.id, token, "done")
    assert list(handle.output()) == ["once\n"]
    assert handle.result() == "done"


def test_a_failed_task_raises_what_it_failed_of(place: Place) -> None:
    handle = place.client.tasks.run("Fail", codebase=place.codebase)
    place.client.worker.fail(place.worker, handle.id, place.claim(handle.id), "no disk", reason="disk_full")
    with pytest.raises(TaskFailed, match="no disk") as failure:
        handle.result()
    assert failure.value.reason == "disk_full"
    assert handle.wait().status is TaskState.FAILED


def test_a_cancelled_task_raises_that_it_was(place: Place) -> None:
    handle = place.client.tasks.run("Wait", codebase=place.codebase)
    assert handle.cancel().status is TaskState.CANCELLED
    with pytest.raises(TaskCancelled):
        handle.result()


def test_a_claim_that_is_sent_again_gets_the_same_lease(place: Place) -> None:
    handle = place.client.tasks.run("Wait", codebase=place.codebase)
    key = fresh_key()
    first, second = (place.client.worker.claim(place.worker, handle.id, key) for _ in range(2))
    assert first.lease.token == second.lease.token
    with pytest.raises(errors.TaskUnavailable) as refusal:
        place.client.worker.claim(place.worker, handle.id, fresh_key())
    assert refusal.value.reason == "running"


def test_a_superseded_lease_is_refused(place: Place) -> None:
    handle = place.client.tasks.run("Wait", codebase=place.codebase)
    token = place.claim(handle.id)
    assert place.client.worker.renew(place.worker, handle.id, token).token == token
    place.client.tasks.requeue(handle.id)
    with pytest.raises(errors.StaleLease):
        place.client.worker.renew(place.worker, handle.id, token)


def test_a_question_is_asked_answered_and_heard(place: Place) -> None:
    handle = place.client.tasks.run("Ask", codebase=place.codebase)
    token = place.claim(handle.id)
    options = [Option(id="yes", label="Yes"), Option(id="no", label="No", allows=False)]
    asked = place.client.worker.ask(
        place.worker, handle.id, token, "May I?", options=options, timeout=timedelta(hours=1)
    )
    assert [each.id for each in place.client.approvals.list(task=handle.id)] == [asked.id]
    assert handle.answer("yes").status is ApprovalState.ANSWERED
    assert place.client.worker.wait_for(asked.id).allowed
    with pytest.raises(errors.AlreadyAnswered) as conflict:
        place.client.approvals.answer(asked.id, choice="no")
    assert conflict.value.winner == "tester"


def test_a_question_that_is_not_waited_for_is_answered_to_the_next_run(place: Place) -> None:
    handle = place.client.tasks.run("Ask", codebase=place.codebase)
    words = place.worker, handle.id, place.claim(handle.id)
    first = place.client.worker.ask(*words, "Which way?", held=False, key="k" * 16)
    assert place.client.worker.ask(*words, "Which way?", held=False, key="k" * 16).id == first.id
    assert handle.refresh().status is TaskState.INPUT_REQUIRED
    place.client.approvals.answer(first.id, text="left")
    claimed = place.client.worker.claim(place.worker, handle.id, "n" * 16)
    assert [(each.prompt, each.text) for each in claimed.answers] == [("Which way?", "left")]


def test_a_worker_is_offered_tasks_and_told_of_cancels(place: Place) -> None:
    handle = place.client.tasks.run("Work", codebase=place.codebase)
    notices = place.client.worker.stream(place.worker, place.worker, codebases=[place.codebase])
    assert next(notices) == Beat()
    offer = next(notices)
    assert isinstance(offer, Offer)
    assert offer.task.id == handle.id
    token = place.claim(handle.id)
    handle.cancel()
    assert next(notice for notice in notices if not isinstance(notice, Beat)) == CancelNotice(handle.id)
    place.client.worker.stopped(place.worker, handle.id, token)
    assert handle.refresh().stopped
    notices.close()


def test_a_task_given_back_is_pending_and_uncharged(place: Place) -> None:
    handle = place.client.tasks.run("Work", codebase=place.codebase)
    place.client.worker.release(place.worker, handle.id, place.claim(handle.id))
    task = handle.refresh()
    assert (task.status, task.attempts_charged) == (TaskState.PENDING, 0)
    assert handle.id in [each.id for each in place.client.worker.poll(place.worker, place.worker)]


def test_tasks_are_listed_retried_and_explained(place: Place) -> None:
    ended = place.client.tasks.run("Old", codebase=place.codebase)
    ended.cancel()
    new = place.client.tasks.retry(ended.id)
    assert new.retry_of == ended.id
    listed = place.client.tasks.list(codebase=place.name, status=TaskState.PENDING)
    assert [each.id for each in listed] == [new.id]
    explained = place.client.tasks.explain(new.id)
    assert place.worker in [each.worker_id for each in explained.workers]
    assert explained.waiting_for


def test_codebases_are_added_found_and_forgotten(hub_url: str) -> None:
    with Client(hub_url, token=TOKEN) as client:
        name = f"lib-{token_hex(4)}"
        added = client.codebases.add(name, "/srv/lib")
        assert client.codebases.get(name) == added
        assert added in client.codebases.list()
        client.codebases.remove(added)
        with pytest.raises(errors.NotFound):
            client.codebases.get(added.id)


def test_conversations_are_told_read_and_resumed(place: Place) -> None:
    worker = place.client.worker
    worker.sync_sessions(place.codebase, place.worker, [{"id": "ses_1", "title": "First"}])
    said = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hello?"}]}]
    worker.sync_messages(place.codebase, "ses_1", place.worker, said)
    assert [each.title for each in place.client.sessions.list(place.name)] == ["First"]
    assert place.client.sessions.get(place.codebase, "ses_1").worker_id == place.worker
    assert [each.text for each in place.client.sessions.messages(place.codebase, "ses_1")] == ["Hello?"]
    resumed = place.client.sessions.resume(place.codebase, "ses_1", "Go on")
    assert resumed.task.prompt == "Go on"
    with pytest.raises(errors.Conflict, match="The task is pending") as caught:
        place.client.sessions.delete(place.codebase, "ses_1")
    assert (caught.value.code, caught.value.hint) == ("task_not_ended", "cancel it first")
    resumed.cancel()
    assert place.client.sessions.delete(place.name, "ses_1") == 1
    with pytest.raises(errors.NotFound):
        place.client.sessions.get(place.codebase, "ses_1")
    worker.sync_messages(place.codebase, "ses_1", place.worker, said)
    assert not place.client.sessions.list(place.name)


def test_an_ended_task_is_erased(place: Place) -> None:
    task = place.client.tasks.run("p", codebase=place.codebase)
    task.cancel()
    place.client.tasks.delete(task.id)
    for lost in (place.client.tasks.get, place.client.tasks.delete):
        with pytest.raises(errors.NotFound):
            lost(task.id)


def test_messages_wait_for_their_agent_until_acknowledged(hub_url: str) -> None:
    with Client(hub_url, token=TOKEN) as client:
        name = f"agent-{token_hex(4)}"
        client.agents.register(name, description="reads")
        client.agents.heartbeat(name)
        assert name in [each.name for each in client.agents.list()]
        sent = client.messages.send(name, "hello", sender="me", conversation="c1")
        received = client.messages.receive(name)
        assert [(each.id, each.sender, each.body) for each in received] == [(sent.id, "me", "hello")]
        client.messages.ack(sent.id)
        assert not client.messages.receive(name)
        assert sent.id in [each.id for each in client.messages.list(conversation="c1")]


@BOTH
def test_the_server_tells_its_version_and_health(use: str, hub_url: str) -> None:
    assert use_hub(use, hub_url, lambda client: client.version())["name"] == "codetether"
    assert use_hub(use, hub_url, lambda client: client.health())["status"] == "healthy"


@BOTH
def test_a_wrong_token_is_refused(use: str, hub_url: str) -> None:
    with pytest.raises(errors.Unauthenticated):
        call(use, hub_url, lambda client: client.tasks.list(), token="wrong")
