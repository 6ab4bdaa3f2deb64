"""What may be said twice is said again; nothing else is."""

from collections.abc import Iterator
from typing import Any

import pytest
import stamina
import stamina.instrumentation

from codetether_adapters.client import BadAnswer, Client, ConnectionFailed, NewTask, RateLimited, ServerFailed
from codetether_core import errors
from tests.client.both import BOTH, HASTY, call
from tests.client.servers import Reply, Script, nobody, serving

TASK = {"id": "tsk_1", "codebase_id": "global", "status": "pending"}
SUBMITTED = Reply(json={"success": True, "task": TASK})
SOON = {"retry-after": "0"}
ENDLESS: dict[str, Any] = {}
ENDLESS["again"] = ENDLESS


def problem(status: int, code: str, **members: Any) -> Reply:
    return Reply(status=status, json={"code": code, "detail": "No.", **members}, headers=SOON)


@BOTH
def test_a_submission_whose_answer_is_lost_is_sent_again_under_the_same_key(use: str) -> None:
    script = Script([Reply(json=TASK, lost=True), problem(503, "unavailable"), SUBMITTED])
    with serving(script) as url:
        handle = call(use, url, lambda client: client.tasks.run("Do it"))
    assert handle.id == "tsk_1"
    keys = {heard.headers["idempotency-key"] for heard in script.heard}
    assert len(script.heard) == 3
    assert len(keys) == 1


@BOTH
def test_two_submissions_have_different_keys_and_one_value_has_one(use: str) -> None:
    script = Script([SUBMITTED])
    new = NewTask("Do it")
    with serving(script) as url:
        call(use, url, lambda client: client.tasks.submit(new))
        call(use, url, lambda client: client.tasks.submit(new))
        call(use, url, lambda client: client.tasks.run("Do it"))
    first, second, third = (heard.headers["idempotency-key"] for heard in script.heard)
    assert first == second != third


@BOTH
def test_a_question_whose_answer_is_lost_is_asked_again_under_the_same_key(use: str) -> None:
    asked = {"id": "apr_1", "task_id": "tsk_1", "codebase_id": "x", "kind": "question", "prompt": "?", "status": "open"}
    script = Script([Reply(json={}, lost=True), Reply(json={"success": True, "approval": asked})])
    with serving(script) as url:
        approval = call(use, url, lambda client: client.worker.ask("w", "tsk_1", "1.n", "?"))
    assert approval.id == "apr_1"
    assert len({heard.headers["idempotency-key"] for heard in script.heard}) == 1
    assert len(script.heard) == 2


@BOTH
@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewTask("x\ud800y"), "prompt"),
        (NewTask("x", metadata={"a": 2**70}), "metadata"),
        (NewTask("x", metadata={"a": {1, 2}}), "metadata"),
        (NewTask("x", metadata=ENDLESS), "metadata"),
        (NewTask("x", idempotency_key="a\nb"), "idempotency_key"),
        (NewTask("x", idempotency_key="ab "), "idempotency_key"),
        (NewTask("x", idempotency_key="a\udc80"), "idempotency_key"),
    ],
)
def test_what_cannot_be_sent_is_named(use: str, new: NewTask, field: str) -> None:
    with serving(Script([SUBMITTED])) as url, pytest.raises(errors.Invalid) as refusal:
        call(use, url, lambda client: client.tasks.submit(new))
    assert refusal.value.field == field


@BOTH
def test_ids_and_names_that_cannot_be_sent_are_named(use: str) -> None:
    """A shell hands on bytes that are no text as halves of surrogate pairs."""
    with serving(Script([Reply(json=TASK)])) as url:
        with pytest.raises(errors.Invalid) as refusal:
            call(use, url, lambda client: client.tasks.get("tsk\udc80"))
        assert refusal.value.field == "id"
        with pytest.raises(errors.Invalid) as refusal:
            call(use, url, lambda client: client.worker.poll("w", "me\udc80"))
        assert refusal.value.field == "agent_name"
        with pytest.raises(errors.Invalid) as refusal:
            call(use, url, lambda client: client.worker.renew("w", "tsk_1", "secret "))
        assert refusal.value.field == "lease_token"
        assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("token", ["abc\ndef", "abc\0def", "abc\udc80", "abc "])
def test_a_token_that_cannot_be_sent_is_not_repeated(token: str) -> None:
    with pytest.raises(errors.Invalid) as refusal:
        Client("http://127.0.0.1:1", token=token)
    assert refusal.value.field == "token"
    assert "abc" not in str(refusal.value)


@BOTH
def test_a_message_whose_answer_is_lost_is_not_sent_twice(use: str) -> None:
    script = Script([Reply(json={}, lost=True)])
    with serving(script) as url, pytest.raises(ConnectionFailed):
        call(use, url, lambda client: client.messages.send("somebody", "hello"))
    assert len(script.heard) == 1


@BOTH
def test_too_many_requests_were_not_acted_on_so_even_a_message_is_sent_again(use: str) -> None:
    sent = Reply(json={"message": {"id": "msg_1", "body": "hello", "from": "me", "to": "somebody"}})
    script = Script([problem(429, "rate_limited"), sent])
    with serving(script) as url:
        message = call(use, url, lambda client: client.messages.send("somebody", "hello"))
    assert (message.sender, message.recipient) == ("me", "somebody")


@BOTH
def test_retries_end(use: str) -> None:
    script = Script([problem(503, "unavailable", hint="later")])
    with serving(script) as url, pytest.raises(errors.Unavailable) as refusal:
        call(use, url, lambda client: client.tasks.get("tsk_1"))
    assert len(script.heard) == HASTY.attempts
    assert refusal.value.hint == "later"


@BOTH
def test_nobody_there_is_a_failed_connection_that_names_the_address(use: str) -> None:
    url = nobody()
    with pytest.raises(ConnectionFailed, match=url):
        call(use, url, lambda client: client.tasks.get("tsk_1"))


@BOTH
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (problem(401, "unauthenticated"), errors.Unauthenticated),
        (problem(403, "permission_denied", permission="tasks:write"), errors.PermissionDenied),
        (problem(404, "task_not_found", id="tsk_1"), errors.NotFound),
        (problem(409, "stale_lease"), errors.StaleLease),
        (problem(409, "task_unavailable", reason="running"), errors.TaskUnavailable),
        (problem(409, "already_answered", winner="ann"), errors.AlreadyAnswered),
        (problem(409, "codebase_exists"), errors.AlreadyExists),
        (problem(409, "something_new"), errors.Conflict),
        (problem(410, "cursor_unknown"), errors.CursorUnknown),
        (problem(413, "too_large"), errors.TooLarge),
        (problem(422, "invalid_request", field="prompt"), errors.Invalid),
        (problem(429, "rate_limited"), RateLimited),
        (problem(500, "internal", request_id="r-1"), ServerFailed),
        (Reply(status=502, body=b"<html>Bad gateway</html>"), ServerFailed),
        (Reply(status=404, body=b"nothing here"), errors.NotFound),
        (Reply(status=302, body=b""), BadAnswer),
        (Reply(body=b"<html>a proxy's page</html>"), BadAnswer),
        (Reply(json={"id": 5}), BadAnswer),
    ],
)
def test_every_refusal_is_an_error_of_its_kind(use: str, reply: Reply, kind: type[errors.CodeTetherError]) -> None:
    with serving(Script([reply])) as url, pytest.raises(kind) as refusal:
        call(use, url, lambda client: client.tasks.get("tsk_1"))
    assert type(refusal.value) is kind


@BOTH
def test_an_error_keeps_its_code_its_ids_and_its_own_attributes(use: str) -> None:
    reply = problem(409, "already_answered", winner="ann", id="apr_1", request_id="r-1")
    with serving(Script([reply])) as url, pytest.raises(errors.AlreadyAnswered) as refusal:
        call(use, url, lambda client: client.approvals.answer("apr_1", choice="yes"))
    assert refusal.value.winner == "ann"
    assert refusal.value.details["request_id"] == "r-1"
    assert refusal.value.message == "No."


@BOTH
def test_ids_are_escaped_in_paths(use: str) -> None:
    script = Script([Reply(json=TASK)])
    with serving(script) as url:
        call(use, url, lambda client: client.tasks.get("../codebases?x#y"))
    assert script.heard[0].path == "/v1/agent/tasks/../codebases?x#y"
    assert script.heard[0].query == ""


@BOTH
def test_a_codebase_is_found_by_its_name(use: str) -> None:
    known = [{"id": "cbs_1", "name": "app", "path": "/a"}, {"id": "cbs_2", "name": "lib", "path": "/l"}]
    script = Script([Reply(json=known), SUBMITTED])
    with serving(script) as url:
        call(use, url, lambda client: client.tasks.run("Do it", codebase="lib"))
    assert script.heard[1].path == "/v1/agent/codebases/cbs_2/tasks"


@BOTH
@pytest.mark.parametrize(
    ("known", "kind", "hint"),
    [
        ([], errors.NotFound, "codetether codebase add"),
        ([{"id": "cbs_1", "name": "app", "path": "/a"}], errors.NotFound, "app"),
        (
            [{"id": "cbs_1", "name": "lib", "path": "/a"}, {"id": "cbs_2", "name": "lib", "path": "/b"}],
            errors.Invalid,
            "cbs_1 (/a), cbs_2 (/b)",
        ),
    ],
)
def test_a_name_that_is_unknown_or_ambiguous_is_refused_with_the_choice(
    use: str, known: list[object], kind: type[errors.CodeTetherError], hint: str
) -> None:
    with serving(Script([Reply(json=known)])) as url, pytest.raises(kind) as refusal:
        call(use, url, lambda client: client.tasks.run("Do it", codebase="lib"))
    assert hint in refusal.value.hint


@BOTH
def test_codebases_are_looked_up_among_all_of_them(use: str) -> None:
    """By default the server tells of one for each directory only."""
    script = Script([Reply(json=[{"id": "cbs_1", "name": "app", "path": "/a"}]), SUBMITTED])
    with serving(script) as url:
        call(use, url, lambda client: client.tasks.run("Do it", codebase="app"))
        call(use, url, lambda client: client.codebases.remove("cbs_1"))
    assert script.heard[0].query == "include_duplicates=true"


@BOTH
def test_nothing_is_printed_or_logged_about_our_retries(
    use: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """An SDK user's stdout is the user's; so are the hooks for retries that are not ours."""
    stamina.instrumentation.set_on_retry_hooks(None)
    with serving(Script([problem(503, "unavailable"), Reply(json=TASK)])) as url:
        call(use, url, lambda client: client.tasks.get("tsk_1"))
    told = capfd.readouterr()
    assert (told.out, told.err, caplog.text) == ("", "", "")


def test_hooks_of_others_hear_of_others_retries() -> None:
    heard: list[str] = []
    stamina.instrumentation.set_on_retry_hooks([lambda details: heard.append(str(details.caused_by))])
    with serving(Script([problem(503, "unavailable"), Reply(json=TASK)])) as url:
        call("blocking", url, lambda client: client.tasks.get("tsk_1"))
    for attempt in stamina.retry_context(on=OSError, wait_initial=0.0, wait_max=0.0, wait_jitter=0.0):
        with attempt:
            if attempt.num == 1:
                raise OSError("theirs")
    assert heard == ["theirs"]


@pytest.fixture(autouse=True)
def hooks_as_before() -> Iterator[None]:
    yield
    stamina.instrumentation.set_on_retry_hooks(None)


@BOTH
def test_a_server_that_wants_to_be_left_alone_for_long_is_not_waited_for(use: str) -> None:
    script = Script([Reply(status=503, json={"code": "unavailable"}, headers={"retry-after": "3600"})])
    with serving(script) as url, pytest.raises(errors.Unavailable) as refusal:
        call(use, url, lambda client: client.tasks.get("tsk_1"))
    assert len(script.heard) == 1
    assert refusal.value.details["retry_after"] == 3600
