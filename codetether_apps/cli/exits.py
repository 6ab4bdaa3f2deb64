"""Exit codes: what each means, and which error has which."""

from __future__ import annotations

from typing import Final

__all__ = ["DEADLINE", "EXITS", "INPUT_REQUIRED", "INTERRUPTED", "TASK_FAILED", "USAGE", "exit_code"]

ERROR: Final = 1
USAGE: Final = 2
UNAUTHENTICATED: Final = 3
FORBIDDEN: Final = 4
NETWORK: Final = 5
SERVER: Final = 6
NOT_FOUND: Final = 7
CONFLICT: Final = 8
TASK_FAILED: Final = 9
INPUT_REQUIRED: Final = 10
DEADLINE: Final = 124
INTERRUPTED: Final = 130

EXITS: Final = {
    0: "ok",
    ERROR: "something else went wrong",
    USAGE: "wrong usage, or the server refused an argument",
    UNAUTHENTICATED: "no token, or not a valid one",
    FORBIDDEN: "the token does not allow it",
    NETWORK: "the server cannot be reached",
    SERVER: "the server failed or is busy",
    NOT_FOUND: "no such thing",
    CONFLICT: "it does not fit the present state",
    TASK_FAILED: "the task failed or was cancelled",
    INPUT_REQUIRED: "the task waits for an answer",
    DEADLINE: "the time given with --timeout is over",
    INTERRUPTED: "interrupted; a task that was watched goes on",
}
"""Every exit code, for ``--help``."""


def exit_code(error: Exception) -> int:
    """The exit code of an error."""
    from codetether_adapters.client import BadAnswer, ConnectionFailed, ServerFailed, TaskCancelled, TaskFailed
    from codetether_apps.settings import SettingsError
    from codetether_core import errors

    codes: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int], ...] = (
        ((TaskFailed, TaskCancelled), TASK_FAILED),
        (ConnectionFailed, NETWORK),
        ((BadAnswer, ServerFailed, errors.Unavailable), SERVER),
        ((SettingsError, errors.Invalid, errors.TooLarge), USAGE),
        (errors.Unauthenticated, UNAUTHENTICATED),
        (errors.PermissionDenied, FORBIDDEN),
        (errors.NotFound, NOT_FOUND),
        (errors.Conflict, CONFLICT),
    )
    return next((code for kinds, code in codes if isinstance(error, kinds)), ERROR)
