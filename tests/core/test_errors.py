"""Errors: one tree, and codes that clients may match on for ever."""

from collections.abc import Callable

import pytest

from codetether_core import errors
from codetether_core.errors import CodeTetherError, Conflict

CODES: dict[str, Callable[[], CodeTetherError]] = {
    "task_exists": lambda: errors.AlreadyExists("task", "tsk_1"),
    "already_answered": lambda: errors.AlreadyAnswered("apr_1", "carol"),
    "error": lambda: CodeTetherError("x"),
    "conflict": lambda: Conflict("x"),
    "denied_by_policy": lambda: errors.DeniedByPolicy("a_rule", "why"),
    "cursor_unknown": lambda: errors.CursorUnknown("x"),
    "idempotency_mismatch": lambda: errors.IdempotencyMismatch("x"),
    "illegal_transition": lambda: errors.IllegalTransition("task", "tsk_1", "pending", "lapse"),
    "invalid_request": lambda: errors.Invalid("field", "is wrong"),
    "lease_required": lambda: errors.LeaseRequired("x"),
    "not_configured": lambda: errors.NotConfigured("x"),
    "busy": lambda: errors.Busy("x"),
    "codebase_not_found": lambda: errors.NotFound("codebase", "cb_1"),
    "permission_denied": lambda: errors.PermissionDenied("x"),
    "rate_limited": lambda: errors.RateLimited("x"),
    "session_erased": lambda: errors.Erased("session", "s"),
    "task_not_ended": lambda: errors.NotEnded("tsk_1", "running"),
    "stale_lease": lambda: errors.StaleLease("x"),
    "task_unavailable": lambda: errors.TaskUnavailable("tsk_1", "running"),
    "too_large": lambda: errors.TooLarge("x"),
    "too_many_artifacts": lambda: errors.TooManyArtifacts("x"),
    "unauthenticated": lambda: errors.Unauthenticated("x"),
    "unavailable": lambda: errors.Unavailable("x"),
    "search_unavailable": errors.SearchUnavailable,
    "undecipherable": lambda: errors.Undecipherable("x"),
    "version_conflict": lambda: errors.VersionConflict("x"),
}
CONFLICTS = {
    "AlreadyAnswered",
    "AlreadyExists",
    "Conflict",
    "Erased",
    "IdempotencyMismatch",
    "IllegalTransition",
    "LeaseRequired",
    "NotEnded",
    "StaleLease",
    "TaskUnavailable",
    "TooManyArtifacts",
    "VersionConflict",
}


@pytest.mark.parametrize("code", CODES)
def test_a_kind_of_refusal_has_its_code(code: str) -> None:
    """Clients branch on these; a code that changes breaks them without a word."""
    error = CODES[code]()
    assert error.code == code
    assert str(error) == error.message
    assert all(isinstance(value, str | int) for value in error.details.values())


def test_every_class_is_in_the_table_and_has_a_code_of_its_own() -> None:
    pinned = {type(make()).__name__ for make in CODES.values()}
    assert pinned == {name for name in errors.__all__ if issubclass(getattr(errors, name), CodeTetherError)}
    assert len(pinned) == len(CODES)


def test_what_does_not_fit_the_present_state_is_a_conflict() -> None:
    """Adapters answer 409 to the whole branch, so what hangs on it is part of the contract."""
    assert {name for name in errors.__all__ if issubclass(getattr(errors, name), Conflict)} == CONFLICTS


@pytest.mark.parametrize(
    ("error", "sentence", "details"),
    [
        (errors.NotFound("api_token", "t"), "Api token not found", {"id": "t"}),
        (errors.AlreadyExists("task", "t"), "Task already exists", {"id": "t"}),
        (errors.Invalid("a.b", "is required"), "a.b: is required", {"field": "a.b"}),
        (errors.Invalid("", "must be an object"), "must be an object", {"field": ""}),
        (
            errors.IllegalTransition("task", "t", "input_required", "ask_parked"),
            "Cannot ask parked the task: it is input required",
            {"id": "t", "state": "input_required", "trigger": "ask_parked"},
        ),
        (
            errors.TaskUnavailable("t", "not_before"),
            "The task cannot be claimed: not before",
            {"id": "t", "reason": "not_before"},
        ),
        (errors.AlreadyAnswered("a", "carol"), "Already answered by carol", {"id": "a", "winner": "carol"}),
        (errors.StaleLease("Gone", holder="ann"), "Gone", {"holder": "ann"}),
    ],
)
def test_an_error_says_what_is_wrong_and_with_what(
    error: CodeTetherError, sentence: str, details: dict[str, str]
) -> None:
    assert (error.message, error.details, error.hint) == (sentence, details, "")


def test_one_case_of_invalid_may_have_a_code_of_its_own() -> None:
    assert errors.Invalid("Last-Event-ID", "is no cursor", code="cursor_malformed").code == "cursor_malformed"
    assert errors.Invalid.code == "invalid_request"
