"""What becomes of a task when the connection to its agent does not hold: it is given once, nothing is told twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from codetether_adapters.a2a_wire import IDEMPOTENCY
from codetether_core.ids import TaskId
from codetether_core.tasks import TaskState
from tests.peers.far import URL, Far, Fault, artifact, error, status
from tests.peers.stage import ANN, ROOT, Stage, staged


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
async def stage(anyio_backend: str, far: Far) -> AsyncIterator[Stage]:
    async with staged(far) as stage:
        await stage.enlist(URL)
        yield stage


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens")


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("cut")


def answering(code: int, message: str = "no") -> httpx.Response:
    return error({"id": 1}, code, message)


async def test_what_nobody_heard_is_said_again(far: Far, stage: Stage) -> None:
    far.faults["SendStreamingMessage"] += [refused, lambda _: httpx.Response(503), lambda _: httpx.Response(429)]
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    assert (len(far.heard), far.calls.count("SendStreamingMessage")) == (1, 4)


async def test_what_was_heard_and_whose_answer_was_lost_is_found(far: Far, stage: Stage) -> None:
    far.faults["SendStreamingMessage"].append(far.taken_and_lost)
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    assert (len(far.heard), far.calls.count("SendStreamingMessage")) == (1, 1)


@pytest.mark.parametrize("fault", [lost, lambda _: httpx.Response(502)], ids=["cut", "bad-gateway"])
async def test_what_may_have_been_heard_and_is_not_found_is_not_said_again(
    far: Far, stage: Stage, fault: object
) -> None:
    far.faults["SendStreamingMessage"].append(fault)  # type: ignore[arg-type]
    task = await stage.ended(await stage.give("do it"))
    assert (task.state, task.reason) == (TaskState.FAILED, "delivery_unknown")
    assert far.calls.count("SendStreamingMessage") == 1


async def test_what_nobody_heard_of_one_relay_is_said_by_the_next(far: Far) -> None:
    """The agent is away when the server is asked to leave."""
    async with staged(far) as stage:
        await stage.enlist(URL)
        far.faults["SendStreamingMessage"] += [refused] * 1000
        id = await stage.give("do it")
        await far.until_called("SendStreamingMessage")
        await stage.turns()
        stage.stopping.ask()
        await stage.until(id, TaskState.PENDING)
        far.faults.clear()
        async with stage.again():
            await stage.until_placed(id)
            far.happen("COMPLETED", "done")
            assert (await stage.ended(id)).result == "done"
    assert len(far.heard) == 1


async def test_what_nobody_heard_of_is_cancelled_at_once(far: Far, stage: Stage) -> None:
    far.faults["SendStreamingMessage"] += [refused] * 1000
    id = await stage.give("do it")
    await far.until_called("SendStreamingMessage")
    await stage.turns()
    await stage.services.submission.cancel(ANN, id)
    await stage.stopped(id)
    assert "ListTasks" not in far.calls


async def test_an_agent_that_takes_it_but_once_is_told_again(far: Far, stage: Stage) -> None:
    far.card["capabilities"]["extensions"] = [{"uri": IDEMPOTENCY}]
    await stage.enlist(URL)
    far.faults["SendStreamingMessage"].append(lost)
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("COMPLETED")
    await stage.ended(id)
    sent = [each for each in far.requests if b"SendStreamingMessage" in each.content]
    assert [each.headers["idempotency-key"] for each in sent] == [id, id]
    assert {json.loads(each.content)["params"]["message"]["messageId"] for each in sent} == {id}


async def cut_and_gone_on(far: Far, stage: Stage) -> TaskId:
    """A task that has printed more than was heard before the cut."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen(made=artifact("one "))
    await stage.until_printed(id, "one ")
    far.cut()
    far.more(artifact("two "))
    return id


async def test_a_cut_stream_is_taken_up_again_where_it_was(far: Far, stage: Stage) -> None:
    """What happened meanwhile is told, what was told is not."""
    id = await cut_and_gone_on(far, stage)
    await stage.until_printed(id, "two ")
    far.more(artifact("three"), "COMPLETED")
    task = await stage.ended(id)
    assert (task.result, await stage.printed(id)) == ("one two three", "one two three")
    assert (len(far.heard), far.calls.count("SubscribeToTask")) == (1, 1)


async def test_a_joined_stream_may_tell_what_the_task_had_already(far: Far, stage: Stage) -> None:
    """A piece may be both in the task as it is told first and on its way in the stream."""
    id = await cut_and_gone_on(far, stage)
    await far.watched()
    far.tell_more(artifact("two "))
    far.more(artifact("three"), "COMPLETED")
    task = await stage.ended(id)
    assert (task.result, await stage.printed(id)) == ("one two three", "one two three")


async def test_an_error_in_the_middle_ends_a_stream_and_not_the_task(far: Far, stage: Stage) -> None:
    """Whatever the stream was asked for with: how the task stands is asked next."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.break_off(-32603, "begun anew; subscribe again")
    await stage.until_printed(id, "begun anew; subscribe again", "stderr")
    await far.watched()
    far.break_off(-32603, "once more")
    await far.watched()
    far.happen("INPUT_REQUIRED", "Which?")
    question = await stage.asked(id)
    await stage.services.questions.answer(ANN, question.id, text="red")
    await far.until_heard(2)
    far.break_off(-32001, "no such stream")
    await far.watched()
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    assert [far.calls.count(each) for each in ("SendStreamingMessage", "SubscribeToTask", "CancelTask")] == [2, 3, 0]


async def test_an_agent_out_of_reach_is_waited_for(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.faults["GetTask"] += [refused, lost, refused]
    far.cut()
    await stage.until_printed(id, "out of reach", "stderr")
    await far.watched()
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"


async def test_what_takes_another_place_is_told_anew(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen(made=artifact("wrong"))
    await stage.until_printed(id, "wrong")
    assert far.task is not None
    far.task["artifacts"] = [artifact("right")]
    far.cut()
    await stage.until_printed(id, "right")
    far.happen("COMPLETED")
    await stage.ended(id)
    assert await stage.printed(id) == "wrongright"


async def test_an_agent_that_does_not_stream_after_all_is_asked(far: Far, stage: Stage) -> None:
    far.faults["SendStreamingMessage"].append(lambda _: answering(-32004))
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen(made=artifact("some"))
    await stage.until_printed(id, "some")
    far.happen("COMPLETED")
    assert (await stage.ended(id)).result == "some"
    assert far.calls.count("SendMessage") == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(401), "peer_unauthorized"),
        (httpx.Response(403), "peer_unauthorized"),
        (httpx.Response(302, headers={"location": "http://elsewhere.test/"}), "peer_refused"),
        (httpx.Response(200, text="<html>"), "peer_refused"),
        (httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": {"task": {"id": 5}}}), "peer_refused"),
        (httpx.Response(400, json={"error": {"code": -32602, "message": "no such thing"}}), "peer_refused"),
        (answering(-32602, "no such thing"), "peer_refused"),
    ],
)
async def test_a_refusal_is_told(far: Far, stage: Stage, answer: httpx.Response, reason: str) -> None:
    far.faults["SendStreamingMessage"].append(lambda _: answer)
    task = await stage.ended(await stage.give("do it"))
    assert (task.state, task.reason) == (TaskState.FAILED, reason)
    assert far.calls == ["SendStreamingMessage"]


async def test_an_agent_whose_words_make_no_sense_is_told_that_nobody_listens(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.faults["GetTask"].append(lambda _: httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": {"id": 5}}))
    far.cut()
    assert (await stage.ended(id)).reason == "peer_refused"
    await far.until_called("CancelTask")


async def test_an_agent_that_has_ended_it_is_told_nothing(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("FAILED", "no paint")
    assert (await stage.ended(id)).error == "no paint"
    await stage.turns()
    assert "CancelTask" not in far.calls


async def test_an_agent_that_has_forgotten_the_task_fails_it(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.faults["GetTask"].append(lambda _: answering(-32001, "Task not found"))
    far.cut()
    assert (await stage.ended(id)).reason == "peer_lost_task"


async def test_an_answer_that_did_not_arrive_is_said_again(far: Far, stage: Stage) -> None:
    """The question stands as before, and the answer is nowhere in what was said."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("INPUT_REQUIRED", "Which?")
    question = await stage.asked(id)
    far.faults["SendStreamingMessage"].append(lost)
    await stage.services.questions.answer(ANN, question.id, text="red")
    await far.until_heard(2)
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    assert [each["parts"] for each in far.heard[1:]] == [[{"text": "red"}]]
    assert far.calls.count("SendStreamingMessage") == 3


async def test_an_answer_that_arrived_is_not_said_again(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("INPUT_REQUIRED", "Which?")
    question = await stage.asked(id)
    far.faults["SendStreamingMessage"].append(far.taken_and_lost)
    await stage.services.questions.answer(ANN, question.id, text="red")
    await far.until_heard(2)
    await far.watched()
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    assert (len(far.heard), far.calls.count("SendStreamingMessage")) == (2, 2)


async def test_an_answer_is_not_said_again_to_who_may_have_heard_it(far: Far, stage: Stage) -> None:
    """The agent does not keep what was said, and still asks."""
    far.keeps_history = False
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("INPUT_REQUIRED", "Which?")
    question = await stage.asked(id)
    far.faults["SendStreamingMessage"].append(lost)
    await stage.services.questions.answer(ANN, question.id, text="red")
    await far.until_called("SubscribeToTask")
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    assert far.calls.count("SendStreamingMessage") == 2


async def test_an_answer_that_changed_something_has_arrived(far: Far, stage: Stage) -> None:
    """Whether or not the agent keeps what was said."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("INPUT_REQUIRED", "Which?")
    question = await stage.asked(id)
    far.keeps_history = False
    far.faults["SendStreamingMessage"].append(far.taken_and_lost)
    await stage.services.questions.answer(ANN, question.id, text="red")
    await far.until_heard(2)
    await far.watched()
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    assert far.calls.count("SendStreamingMessage") == 2


async def test_an_answer_that_does_not_fit_is_asked_for_again(far: Far, stage: Stage) -> None:
    """As often as it takes, and whoever is asked is told why; the agent still has the task."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("INPUT_REQUIRED", "Which?")
    first = await stage.asked(id)
    for wrong in ("green", "grey"):
        far.faults["SendStreamingMessage"].append(lambda _: answering(-32602, "must be one of: red, blue"))
        question = await stage.asked(id)
        await stage.services.questions.answer(ANN, question.id, text=wrong)
        await stage.until_asked_again(id, question)
    question = await stage.asked(id)
    assert (first.prompt, question.prompt) == (
        "Which?",
        "far does not take the answer: must be one of: red, blue\n\nWhich?",
    )
    await stage.services.questions.answer(ANN, question.id, text="red")
    await far.until_heard(2)
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    assert far.heard[1]["parts"] == [{"text": "red"}]
    assert "must be one of: red, blue" in await stage.printed(id, "stderr")
    sent = [json.loads(each.content) for each in far.requests if b"SendStreamingMessage" in each.content]
    assert len({each["params"]["message"]["messageId"] for each in sent}) == 4
    assert "CancelTask" not in far.calls


async def test_questions_that_look_alike_are_each_asked(far: Far, stage: Stage) -> None:
    """The agent says neither when it asks nor what it calls its question."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    plain = {"state": "TASK_STATE_INPUT_REQUIRED"}
    for count, text in enumerate(("red", "blue"), 2):
        await far.watched()
        assert far.task is not None
        far.task["status"] = plain
        far.cut()
        question = await stage.asked(id)
        await stage.services.questions.answer(ANN, question.id, text=text)
        await far.until_heard(count)
    await far.watched()
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    assert [each["parts"] for each in far.heard[1:]] == [[{"text": "red"}], [{"text": "blue"}]]


async def test_an_agent_that_goes_on_by_itself_needs_no_answer(far: Far, stage: Stage) -> None:
    """Who signed in at the door need not tell us."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("AUTH_REQUIRED", "Sign in")
    question = await stage.asked(id)
    far.happen("WORKING")
    await far.watched()
    far.happen("COMPLETED", "done")
    assert (await stage.ended(id)).result == "done"
    known = await stage.services.questions.get(ANN, question.id)
    assert (known.state, len(far.heard)) == ("withdrawn", 1)


async def test_data_and_files_are_kept(far: Far, stage: Stage) -> None:
    """Data is an event as our own agents have them, a file one of the task's, and where there is one is told."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen(made=artifact("text ", {"data": {"type": "tool_use", "name": "grep"}}, {"data": [1]}))
    raw = {"raw": "aGVsbG8=", "filename": "out/hello.txt", "mediaType": "text/plain"}
    far.happen("COMPLETED", made=artifact(raw, {"url": "https://a.test/x", "filename": "x"}, id="b"))
    task = await stage.ended(id)
    assert [(each.name, each.media_type, each.size) for each in task.artifacts] == [("out/hello.txt", "text/plain", 5)]
    kinds = [(kind, event) for kind, event in await stage.events(id) if event]
    assert kinds == [
        ("task.tool_use", {"type": "tool_use", "name": "grep"}),
        ("task.output", {"type": "data", "data": [1]}),
    ]
    assert "x: https://a.test/x" in await stage.printed(id)


async def test_data_that_has_a_file_s_name_is_a_file(far: Far, stage: Stage) -> None:
    """Whatever is in it, and however it is told: nothing of it is taken for what the agent printed."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    file = {"data": {"type": "text", "text": "I am a file"}, "filename": "report.json", "mediaType": "application/json"}
    far.happen(made=artifact("printed", id="output"))
    far.happen(made=artifact(file, {"data": {"type": "tool_use"}}, {"data": [1], "filename": "l.json"}, id="b"))
    await stage.until_printed(id, "tool_use")
    far.cut()
    await far.watched()
    far.happen("COMPLETED")
    task = await stage.ended(id)
    assert [(each.name, each.media_type, each.size) for each in task.artifacts] == [
        ("l.json", "application/json", 3),
        ("report.json", "application/json", len('{"type":"text","text":"I am a file"}')),
    ]
    assert task.result == "printed"
    assert [event for _, event in await stage.events(id) if event] == [{"type": "tool_use"}]


async def test_files_of_one_name_are_all_kept(far: Far, stage: Stage) -> None:
    """Whether they are in one artifact or in several: each is told apart by a number."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    files = [{"raw": raw, "filename": "out/log.txt"} for raw in ("YQ==", "YWE=", "YWFh")]
    far.happen(made=artifact(*files[:2], {"raw": "YWFhYQ=="}, {"raw": "YWFhYWE="}, id="a"))
    nameless = [{"raw": "YWFhYWFh", "filename": name} for name in ("/", "/", "..")]
    far.happen("COMPLETED", made=artifact(files[2], *nameless, id="b"))
    kept = {each.name: each.size for each in (await stage.ended(id)).artifacts}
    assert kept == {"out/log.txt": 1, "out/log-2.txt": 2, "a": 4, "a-2": 5, "out/log-3.txt": 3}


async def test_a_file_at_the_end_may_be_large_and_nothing_else(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.cut()
    far.happen("COMPLETED", made=artifact({"raw": "A" * 5_000_000, "filename": "large"}))
    assert [each.size for each in (await stage.ended(id)).artifacts] == [3_750_000]
    far.task = None
    id = await stage.give("do it")
    await stage.until_placed(id)
    await far.watched()
    far.happen(made=artifact("x" * 5_000_000))
    task = await stage.ended(id)
    assert (task.reason, len(task.error or "") < 1000) == ("peer_refused", True)


def endless(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b"x" * 33 * 1024 * 1024)


@pytest.mark.parametrize(
    ("fault", "problem"), [(endless, "more than"), (lambda _: answering(-32001, "forgotten"), "forgotten")]
)
async def test_an_outcome_that_is_known_counts_without_the_files(
    far: Far, stage: Stage, fault: Fault, problem: str
) -> None:
    """They cannot be had, and that is said."""
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen(made=artifact("printed ", {"raw": "YQ==", "filename": "a"}))
    await stage.until_printed(id, "printed ")
    far.faults["GetTask"].append(fault)
    far.happen("COMPLETED", "done")
    task = await stage.ended(id)
    assert (task.state, task.result, task.artifacts) == (TaskState.COMPLETED, "done", ())
    assert problem in await stage.printed(id, "stderr")


async def test_files_without_names_do_not_take_each_others_place(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("COMPLETED", made=artifact({"raw": "YQ=="}, {"raw": "YmI="}, name="out"))
    assert [(each.name, each.size) for each in (await stage.ended(id)).artifacts] == [("out", 1), ("out-2", 2)]


async def test_an_agent_that_does_not_come_to_an_end_is_cut_short(far: Far, stage: Stage) -> None:
    far.faults["SendStreamingMessage"].append(lambda _: answering(-32602, "x" * 100_000))
    assert len((await stage.ended(await stage.give("do it"))).error or "") < 5000
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("FAILED", "x" * 100_000)
    assert len((await stage.ended(id)).error or "") == 4096


async def test_a_cancel_reaches_the_agent_when_it_is_back(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.faults["CancelTask"] += [refused, lost]
    await stage.services.submission.cancel(ANN, id)
    await stage.stopped(id)
    assert far.task and far.task["status"]["state"] == "TASK_STATE_CANCELED"


async def test_a_cancel_is_confirmed_by_a_task_that_has_much(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    assert far.task is not None
    far.task["artifacts"] = [artifact({"raw": "A" * 20_000_000, "filename": "large"})]
    await stage.services.submission.cancel(ANN, id)
    assert (await stage.stopped(id)).state is TaskState.CANCELLED


async def test_what_ended_before_it_was_cancelled_has_stopped(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    assert far.task is not None
    far.task["status"] = status("COMPLETED")
    far.faults["CancelTask"].append(lambda _: answering(-32002))
    await stage.services.submission.cancel(ANN, id)
    assert (await stage.stopped(id)).state is TaskState.CANCELLED


async def test_a_task_is_cancelled_that_was_given_and_not_yet_named(far: Far, stage: Stage) -> None:
    """Its answer was lost, and it is cancelled while we look for it."""
    far.faults["SendStreamingMessage"].append(far.taken_and_lost)
    far.faults["ListTasks"] += [refused] * 3
    id = await stage.give("do it")
    await far.until_heard(1)
    await stage.services.submission.cancel(ANN, id)
    await stage.stopped(id)
    assert far.task and far.task["status"]["state"] == "TASK_STATE_CANCELED"


async def test_a_cancel_waits_a_moment_for_the_agent_to_name_the_task(far: Far, stage: Stage) -> None:
    """It has just been given, and it cannot be asked which it is."""
    far.faults["SendStreamingMessage"].append(far.taken_and_slow)
    far.faults["ListTasks"] += [lambda _: answering(-32601)] * 1000
    id = await stage.give("do it")
    await far.until_heard(1)
    await stage.services.submission.cancel(ANN, id)
    await stage.turns()
    far.happen("WORKING")
    await stage.stopped(id)
    assert far.task and far.task["status"]["state"] == "TASK_STATE_CANCELED"


async def test_what_nobody_answers_is_ended_there_too(far: Far, stage: Stage) -> None:
    id = await stage.give("do it")
    await stage.until_placed(id)
    far.happen("INPUT_REQUIRED", "Which?")
    await stage.asked(id)
    await stage.let_expire(id)
    task = await stage.ended(id)
    assert task.reason == "question_unanswered"
    await far.until_called("CancelTask")


async def test_a_secret_says_who_we_are(far: Far, stage: Stage) -> None:
    """It is handed to nobody else, and that it was is in the trail."""
    far.card["securitySchemes"] = {"key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}}}
    far.card["securityRequirements"] = [{"schemes": {"key": {"list": []}}}]
    await stage.with_secret("far-key", "a secret of ours")
    far.happen_at_once = "COMPLETED"
    await stage.ended(await stage.give("do it"))
    asked = [each for each in far.requests if each.method == "POST"]
    assert {each.headers["x-key"] for each in asked} == {"a secret of ours"}
    assert not any("x-key" in each.headers for each in far.requests if each.method == "GET")


async def test_a_request_that_cannot_be_made_does_not_tell_the_secret(far: Far, stage: Stage) -> None:
    def illegal(request: httpx.Request) -> httpx.Response:
        raise httpx.LocalProtocolError(f"Illegal header value {request.headers['authorization']}")

    await stage.with_secret("far-key", "a secret of ours")
    far.faults["SendStreamingMessage"].append(illegal)
    task = await stage.ended(await stage.give("do it"))
    assert (task.reason, "secret" in str(task.error)) == ("peer_refused", False)


async def test_without_the_secret_the_task_fails(far: Far, stage: Stage) -> None:
    await stage.with_secret("far-key", "a secret of ours")
    await stage.without_secret("far-key")
    task = await stage.ended(await stage.give("do it"))
    assert (task.reason, far.calls) == ("secret_unusable", [])


async def test_an_answer_that_one_relay_did_not_live_to_say_is_said_by_the_next(far: Far) -> None:
    """It is killed while the question is open, and people answer before anybody else holds the task."""
    async with staged(far) as stage:
        await stage.enlist(URL)
        stage.stopping.ask()
        async with stage.until_killed():
            id = await stage.give("do it")
            await stage.until_placed(id)
            far.happen("INPUT_REQUIRED", "Which?")
            question = await stage.asked(id)
        await stage.until_lapsed(id)
        await stage.services.questions.answer(ANN, question.id, text="red")
        async with stage.again():
            await far.until_heard(2)
            far.happen("COMPLETED", "done")
            assert (await stage.ended(id)).result == "done"
        assert far.heard[1]["parts"] == [{"text": "red"}]


async def test_an_answer_in_place_of_one_that_did_not_fit_is_said_by_the_next(far: Far) -> None:
    """Which says first what the one before had said, and need not ask anybody."""
    far.faults["SendStreamingMessage"] += [lambda _: None, *[lambda _: answering(-32602)] * 2]
    async with staged(far) as stage:
        await stage.enlist(URL)
        stage.stopping.ask()
        async with stage.until_killed():
            id = await stage.give("do it")
            await stage.until_placed(id)
            far.happen("INPUT_REQUIRED", "Which?")
            question = await stage.asked(id)
            await stage.services.questions.answer(ANN, question.id, text="green")
            await stage.until_asked_again(id, question)
            question = await stage.asked(id)
        await stage.until_lapsed(id)
        await stage.services.questions.answer(ANN, question.id, text="red")
        async with stage.again():
            await far.until_heard(2)
            far.happen("COMPLETED", "done")
            assert (await stage.ended(id)).result == "done"
        assert far.heard[1]["parts"] == [{"text": "red"}]


async def test_what_runs_for_too_long_is_ended_there_too(far: Far, stage: Stage) -> None:
    id = await stage.give("do it", run_timeout=timedelta(hours=1))
    await stage.until_placed(id)
    stage.clock.ahead += timedelta(hours=2)
    await stage.services.maintenance.sweep()
    assert (await stage.ended(id)).state is TaskState.FAILED
    await far.until_called("CancelTask")


async def test_what_is_erased_is_ended_there_too(far: Far, stage: Stage) -> None:
    """Who renews the lease finds nothing any more."""
    id = await stage.give("do it", run_timeout=timedelta(hours=1))
    await stage.until_placed(id)
    stage.clock.ahead += timedelta(hours=2)
    await stage.services.maintenance.sweep()
    await stage.services.erasing.task(ROOT, id)
    await far.until_called("CancelTask")
