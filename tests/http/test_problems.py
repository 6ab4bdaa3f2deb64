"""Refusals on the wire: RFC 9457, a stable code, the ids concerned, and nothing that is nobody's business."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs

from codetether_adapters.http import Call, Json, Route
from codetether_adapters.http.bodies import EncodingUnsupported, TooSlow
from codetether_adapters.http.browser import WrongHost
from codetether_adapters.http.csrf import Csrf
from codetether_adapters.http.framing import Ambiguous
from codetether_adapters.http.negotiating import MediaTypeUnsupported, NotAcceptable
from codetether_adapters.http.origins import ForeignOrigin, Misdirected
from codetether_adapters.http.problems import TITLES, status_of
from codetether_adapters.http.routing import MethodNotAllowed
from codetether_adapters.oidc import SignInExpired, SignInRefused, SignInUnknown, SignInUnproven
from codetether_core import errors
from codetether_core.access import PUBLIC, RenewalSpent
from codetether_core.artifacts import BlobDamaged, BlobId
from codetether_core.errors import CodeTetherError, Invalid
from codetether_core.events import Cursor
from tests.http.harness import EDITOR, Peer, application, client_of, raising


async def refusal(error: Exception) -> Any:
    async with client_of(application(raising(error))) as client:
        return await client.get("/", headers={"X-Request-Id": "r-1"})


EXAMPLES: list[tuple[CodeTetherError, int, str, dict[str, Any]]] = [
    (
        errors.Invalid("a.b", "must be a string", hint="quote it"),
        422,
        "invalid_request",
        {"field": "a.b", "hint": "quote it"},
    ),
    (errors.Invalid("", "the body is not JSON", code="json_malformed"), 400, "json_malformed", {}),
    (errors.Erased("session", "s1"), 409, "session_erased", {"id": "s1"}),
    (
        errors.NotEnded("t1", "running"),
        409,
        "task_not_ended",
        {"id": "t1", "hint": "cancel it first", "state": "running"},
    ),
    (errors.NotFound("task", "t1"), 404, "task_not_found", {"id": "t1"}),
    (errors.TooLarge("Too much", limit=5), 413, "too_large", {"limit": 5}),
    (TooSlow("Faster"), 408, "too_slow", {}),
    (EncodingUnsupported("Plain"), 415, "encoding_unsupported", {}),
    (MediaTypeUnsupported("JSON"), 415, "media_type_unsupported", {}),
    (NotAcceptable("JSON"), 406, "not_acceptable", {}),
    (Misdirected("Where?"), 421, "misdirected", {}),
    (ForeignOrigin("Whose page?"), 403, "foreign_origin", {}),
    (Ambiguous("", "the request has two hosts"), 400, "request_ambiguous", {}),
    (errors.Unauthenticated("Who?"), 401, "unauthenticated", {}),
    (RenewalSpent("Again?"), 401, "renewal_spent", {}),
    (errors.PermissionDenied("No", permission="tasks:write"), 403, "permission_denied", {"permission": "tasks:write"}),
    (
        errors.DeniedByPolicy("a_rule", "Because."),
        403,
        "denied_by_policy",
        {"rule": "a_rule", "hint": "tell the agent, and go on without"},
    ),
    (SignInRefused("No"), 401, "sign_in_refused", {}),
    (SignInUnknown("Whose?"), 401, "sign_in_unknown", {}),
    (SignInExpired("Late"), 401, "sign_in_expired", {}),
    (SignInUnproven("Who?"), 401, "sign_in_unproven", {}),
    (Csrf("Whose page?"), 403, "csrf", {}),
    (WrongHost("Where?", host="evil.test"), 403, "wrong_host", {"host": "evil.test"}),
    (errors.CursorUnknown("Gone"), 410, "cursor_unknown", {}),
    (
        errors.RateLimited("Slow", limit=1, remaining=0, resets_in=5),
        429,
        "rate_limited",
        {"limit": 1, "remaining": 0, "resets_in": 5},
    ),
    (errors.Busy("Later"), 503, "busy", {}),
    (errors.Unavailable("Down"), 503, "unavailable", {}),
    (
        BlobDamaged(BlobId("0" * 64)),
        503,
        "blob_damaged",
        {"id": "0" * 64, "hint": "put the same bytes again, or restore them from a backup"},
    ),
    (errors.Conflict("No"), 409, "conflict", {}),
    (errors.AlreadyExists("codebase", "c1"), 409, "codebase_exists", {"id": "c1"}),
    (errors.VersionConflict("Late"), 409, "version_conflict", {}),
    (errors.TooManyArtifacts("Full", id="t1"), 409, "too_many_artifacts", {"id": "t1"}),
    (errors.NotConfigured("None", hint="set it"), 501, "not_configured", {"hint": "set it"}),
    (
        errors.SearchUnavailable(),
        501,
        "search_unavailable",
        {"hint": "leave the text out: everything is listed then"},
    ),
    (errors.Undecipherable("Changed", key="k1"), 503, "undecipherable", {"key": "k1"}),
    (errors.IdempotencyMismatch("Other"), 409, "idempotency_mismatch", {}),
    (
        errors.IllegalTransition("task", "t1", "completed", "cancel"),
        409,
        "illegal_transition",
        {"id": "t1", "state": "completed", "trigger": "cancel"},
    ),
    (errors.TaskUnavailable("t1", "delayed"), 409, "task_unavailable", {"id": "t1", "reason": "delayed"}),
    (errors.StaleLease("Other", holder="w1"), 409, "stale_lease", {"holder": "w1"}),
    (errors.LeaseRequired("Token"), 409, "lease_required", {}),
    (errors.AlreadyAnswered("a1", "ann"), 409, "already_answered", {"id": "a1", "winner": "ann"}),
    (MethodNotAllowed("PUT", ("GET",)), 405, "method_not_allowed", {"hint": "allowed: GET"}),
]


@pytest.mark.parametrize(("error", "status", "code", "members"), EXAMPLES, ids=[code for _, _, code, _ in EXAMPLES])
async def test_each_error_has_its_status_code_and_ids(
    error: CodeTetherError, status: int, code: str, members: dict[str, Any]
) -> None:
    answer = await refusal(error)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"urn:codetether:problem:{code}",
        "title": TITLES[status],
        "status": status,
        "code": code,
        "detail": error.message,
        "request_id": "r-1",
        **members,
    }


ANSWERING = (
    "codetether_core",
    "codetether_adapters.http",
    "codetether_adapters.memory",
    "codetether_adapters.oidc",
    "codetether_adapters.sqlite",
    "codetether_adapters.tail",
    "codetether_adapters.tokens",
)
"""What runs while a request is answered. Other adapters and the apps have errors for their own processes' ends: a
client's, a worker's, one that does not start.
"""


def kinds(root: type[CodeTetherError] = CodeTetherError) -> Iterator[type[CodeTetherError]]:
    for kind in root.__subclasses__():
        if f"{kind.__module__}.".startswith(tuple(f"{package}." for package in ANSWERING)):
            yield kind
        yield from kinds(kind)


def test_no_error_of_ours_is_left_without_a_status() -> None:
    for package in (*ANSWERING, "codetether_adapters.http.resources"):
        import_module(package)
    assert set(kinds()) == {type(error) for error, *_ in EXAMPLES}


def test_a_cursor_that_cannot_be_read_is_malformed() -> None:
    with pytest.raises(Invalid) as invalid:
        Cursor.parse("nonsense")
    assert status_of(invalid.value) == 400


async def test_an_id_cannot_take_the_place_of_a_member() -> None:
    answer = await refusal(errors.Conflict("No", status=200, code="ok", detail="fine", request_id="x"))
    assert answer.json() | {"status": 409, "code": "conflict", "detail": "No", "request_id": "r-1"} == answer.json()


async def test_a_refusal_says_what_to_do_next_in_its_headers() -> None:
    assert (await refusal(errors.Unavailable("Down"))).headers["retry-after"] == "1"
    assert (await refusal(MethodNotAllowed("PUT", ("GET", "HEAD")))).headers["allow"] == "GET, HEAD"
    denied = await refusal(errors.PermissionDenied("No", permission="tasks:write"))
    assert denied.headers["www-authenticate"] == (
        'Bearer realm="codetether", error="insufficient_scope", scope="tasks:write"'
    )


# ---------------------------------------------------------------------------------- what nobody foresaw


@pytest.mark.parametrize(
    "error", [RuntimeError("password=hunter2"), CodeTetherError("hunter2"), ExceptionGroup("hunter2", [ValueError()])]
)
async def test_an_unforeseen_error_is_logged_by_its_place_and_answered_without_its_text(error: Exception) -> None:
    with capture_logs() as logs:
        answer = await refusal(error)
    assert (answer.status_code, answer.json()["code"], answer.json()["request_id"]) == (500, "internal", "r-1")
    assert "hunter2" not in answer.text
    [entry] = logs
    assert (entry["event"], entry["request_id"], entry["route"]) == ("request_failed", "r-1", "GET /")
    assert entry["error"].endswith(type(error).__name__)
    assert "handler" in entry["where"][-1]
    assert "hunter2" not in repr(entry)


async def test_an_error_after_the_answer_has_begun_cuts_it_off() -> None:
    """A reader must be able to tell a broken answer from a complete one."""

    async def half(call: Call) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise errors.Unavailable("too late")

        return answer

    with capture_logs() as logs:
        peer = Peer(application(Route("GET", "/", half, PUBLIC)))
        await peer.end()
    assert [message["type"] for message in peer.sent] == ["http.response.start"]
    assert not peer.is_complete()
    assert len(logs) == 1


# ----------------------------------------------------------------------------------------- every answer


async def test_a_request_id_is_kept_if_it_is_one_and_made_otherwise() -> None:
    async def own(call: Call) -> Json:
        return Json(call.request.id)

    made = set()
    async with client_of(application(Route("GET", "/", own, PUBLIC))) as client:
        for given in ("a", "4bf92f3577b34da6-A_z.9:/+=@", "x" * 128):
            answer = await client.get("/", headers={"X-Request-Id": given})
            assert answer.json() == answer.headers["x-request-id"] == given
        for unfit in ("", "a b", "a\tb", "x" * 129, "ä", "<script>"):
            answer = await client.get("/", headers=[(b"x-request-id", unfit.encode())])
            assert answer.json() == answer.headers["x-request-id"] != unfit
            made.add(answer.json())
    assert len(made) == 6


async def test_every_answer_is_kept_by_no_cache_and_taken_at_its_word() -> None:
    async def page(call: Call) -> HTMLResponse:
        return HTMLResponse("<p>", headers={"Cache-Control": "max-age=60"})

    app = application(Route("GET", "/page", page, PUBLIC), raising(errors.Conflict("No")))
    async with client_of(app, headers=EDITOR) as client:
        for path in ("/livez", "/", "/nowhere", "/openapi.json"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert "server" not in headers
        headers = (await client.get("/page")).headers
        assert headers["cache-control"] == "max-age=60"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
