"""The server's refusals as the core's own errors, and the few that only a client meets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from codetether_core import errors
from codetether_core.errors import CodeTetherError

__all__ = ["BadAnswer", "ConnectionFailed", "ServerFailed", "TaskCancelled", "TaskFailed", "problem_of"]


class ConnectionFailed(CodeTetherError):
    """The server cannot be reached, or stopped answering."""

    code = "connection_failed"


class BadAnswer(CodeTetherError):
    """Something answered that is no CodeTether server, or one that we do not understand."""

    code = "bad_answer"


class ServerFailed(CodeTetherError):
    """The server, or a proxy before it, failed; its log knows more under the ``request_id`` in ``details``."""

    code = "internal"


class TaskFailed(CodeTetherError):
    """The task that was waited for has failed; ``reason`` is a slug, the message what the agent or the server said."""

    code = "task_failed"

    @property
    def reason(self) -> str:
        """Why, for programs."""
        return str(self.details.get("reason", ""))


class TaskCancelled(CodeTetherError):
    """The task that was waited for was cancelled."""

    code = "task_cancelled"


_BY_STATUS: Final[Mapping[int, type[CodeTetherError]]] = {
    400: errors.Invalid,
    401: errors.Unauthenticated,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.CursorUnknown,
    413: errors.TooLarge,
    422: errors.Invalid,
    429: errors.RateLimited,
    501: errors.NotConfigured,
    503: errors.Unavailable,
}
_MEMBERS: Final = frozenset({"type", "title", "status", "code", "detail", "hint"})


def _family(root: type[CodeTetherError]) -> Iterator[type[CodeTetherError]]:
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from _family(kind)


_BY_CODE: Final[Mapping[str, type[CodeTetherError]]] = {kind.code: kind for kind in _family(CodeTetherError)}


def problem_of(status: int, headers: Mapping[str, str], body: bytes) -> CodeTetherError:
    """The error that a refusal tells of: by its ``code``, else by its status. ``Retry-After`` is among the details."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    members: Mapping[str, Any] = found if isinstance(found, dict) else {}
    code = members.get("code")
    code = code if isinstance(code, str) else ""
    kind = _kind(status, code)
    detail = members.get("detail")
    hint = members.get("hint")
    error = kind.__new__(kind)  # their constructors take what the server knew; here only the telling is left
    CodeTetherError.__init__(
        error,
        detail if isinstance(detail, str) else f"The server answered {status}",
        hint=hint if isinstance(hint, str) else "",
        **_details(members, headers),
    )
    if code:
        error.code = code
    elif kind is errors.NotFound:
        error.code = "not_found"
    _restore(error)
    return error


def _details(members: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, str | int]:
    details = {
        name: value
        for name, value in members.items()
        if name not in _MEMBERS and isinstance(value, str | int) and not isinstance(value, bool)
    }
    if re.fullmatch("[0-9]{1,6}", wait := headers.get("retry-after", "")):
        details["retry_after"] = int(wait)
    return details


def _kind(status: int, code: str) -> type[CodeTetherError]:
    if kind := _BY_CODE.get(code):
        return kind
    if status == 409 and code.endswith("_exists"):
        return errors.AlreadyExists
    return _BY_STATUS.get(status, ServerFailed if status >= 500 else BadAnswer)


def _restore(error: CodeTetherError) -> None:
    """Set the attributes that some kinds have besides ``details``."""
    told = error.details
    match error:
        case errors.Invalid():
            error.field = str(told.get("field", ""))
            error.problem = error.message.removeprefix(f"{error.field}: ")
        case errors.DeniedByPolicy():
            error.rule = str(told.get("rule", ""))
        case errors.TaskUnavailable():
            error.reason = str(told.get("reason", ""))
        case errors.AlreadyAnswered():
            error.winner = str(told.get("winner", ""))
        case _:
            pass
