"""Refusals: one table of what the protocol calls them, and the bodies of both bindings.

What is wrong with the connection and not with the call (who asks, how often, a store that is away) is no refusal: it
goes on as it is, for HTTP to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from codetether_core.errors import (
    CodeTetherError,
    Conflict,
    IdempotencyMismatch,
    Invalid,
    NotConfigured,
    NotFound,
    TooLarge,
)

__all__ = [
    "CONTENT_TYPE_NOT_SUPPORTED",
    "INVALID_REQUEST",
    "METHOD_NOT_FOUND",
    "PARSE_ERROR",
    "PUSH_NOTIFICATION_NOT_SUPPORTED",
    "TASK_NOT_CANCELABLE",
    "TASK_NOT_FOUND",
    "UNSUPPORTED_OPERATION",
    "VERSION_NOT_SUPPORTED",
    "Kind",
    "Refused",
    "json_rpc_error",
    "refusal_of",
    "rest_error",
]

_INFO: Final = "type.googleapis.com/google.rpc.ErrorInfo"
_BAD_REQUEST: Final = "type.googleapis.com/google.rpc.BadRequest"
_DOMAIN: Final = "a2a-protocol.org"
_INTERNAL_CODE: Final = -32603


@frozen
class Kind:
    """A kind of refusal: its code in JSON-RPC, its status in HTTP, its status and reason in Google's words."""

    code: int
    status: int
    grpc: str
    reason: str
    message: str


PARSE_ERROR: Final = Kind(-32700, 400, "INVALID_ARGUMENT", "PARSE_ERROR", "Invalid JSON payload")
INVALID_REQUEST: Final = Kind(-32600, 400, "INVALID_ARGUMENT", "INVALID_REQUEST", "Request payload validation error")
METHOD_NOT_FOUND: Final = Kind(-32601, 404, "UNIMPLEMENTED", "METHOD_NOT_FOUND", "Method not found")
INVALID_PARAMS: Final = Kind(-32602, 400, "INVALID_ARGUMENT", "INVALID_PARAMS", "Invalid parameters")
INTERNAL_ERROR: Final = Kind(_INTERNAL_CODE, 500, "INTERNAL", "INTERNAL_ERROR", "Internal error")
TASK_NOT_FOUND: Final = Kind(-32001, 404, "NOT_FOUND", "TASK_NOT_FOUND", "Task not found")
TASK_NOT_CANCELABLE: Final = Kind(-32002, 400, "FAILED_PRECONDITION", "TASK_NOT_CANCELABLE", "Task cannot be canceled")
PUSH_NOTIFICATION_NOT_SUPPORTED: Final = Kind(
    -32003, 400, "FAILED_PRECONDITION", "PUSH_NOTIFICATION_NOT_SUPPORTED", "Push Notification is not supported"
)
UNSUPPORTED_OPERATION: Final = Kind(
    -32004, 400, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION", "This operation is not supported"
)
CONTENT_TYPE_NOT_SUPPORTED: Final = Kind(
    -32005, 400, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED", "Incompatible content types"
)
VERSION_NOT_SUPPORTED: Final = Kind(
    -32009, 400, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED", "Protocol version not supported"
)
_LATER: Final = (VERSION_NOT_SUPPORTED,)
"""Kinds that release 0.3 does not have."""


class Refused(CodeTetherError):
    """The call is refused; ``details`` go into the answer, and so do the members that are wrong (``violations``)."""

    violations: tuple[tuple[str, str], ...] = ()

    def __init__(self, kind: Kind, message: str = "", /, **details: str | int) -> None:
        super().__init__(message or kind.message)
        self.details = details
        self.kind = kind
        self.code = kind.reason.lower()


def refusal_of(error: CodeTetherError) -> Refused:
    """What the protocol calls an error of ours; an error that is none of the call's is raised again."""
    match error:
        case Refused():
            return error
        case NotFound(code="task_not_found"):
            return Refused(TASK_NOT_FOUND, taskId=error.details["id"])
        case NotFound(code="webhook_not_found"):
            return Refused(TASK_NOT_FOUND, "The task has no such webhook")
        case NotFound(code="codebase_not_found"):
            return _invalid("message.metadata.codebase_id", f"names none that there is: {error.details['id']}")
        case NotFound():
            return _invalid("", f"{error.message}: {error.details['id']}")
        case Invalid(code="json_malformed" | "body_missing"):
            return Refused(PARSE_ERROR, error.message)
        case Invalid(code="json_too_deep"):
            return Refused(INVALID_REQUEST, error.message)
        case Invalid():
            return _invalid(error.field, error.problem)
        case IdempotencyMismatch():
            return _invalid("Idempotency-Key", error.message)
        case TooLarge():
            return Refused(INVALID_REQUEST, error.message, **error.details)
        case Conflict() | NotConfigured():
            hint = f"; {error.hint}" if error.hint else ""
            return Refused(UNSUPPORTED_OPERATION, f"{error.message}{hint}", **error.details)
    raise error


def json_rpc_error(refused: Refused, release: str) -> dict[str, Any]:
    """The ``error`` of a JSON-RPC answer. Release 0.3 knows neither details nor the newest codes."""
    kind = refused.kind
    if release == "0.3":
        return {"code": _INTERNAL_CODE if kind in _LATER else kind.code, "message": _sentence(refused)}
    told: dict[str, Any] = {"code": kind.code, "message": _sentence(refused)}
    if kind is not PARSE_ERROR:
        told["data"] = _details(refused)
    return told


def rest_error(refused: Refused, status: int) -> dict[str, Any]:
    """The body of an HTTP+JSON answer of that status: a ``google.rpc.Status`` (section 11.6)."""
    return {
        "error": {
            "code": status,
            "status": refused.kind.grpc,
            "message": _sentence(refused),
            "details": _details(refused),
        }
    }


def _invalid(field: str, problem: str) -> Refused:
    refused = Refused(INVALID_PARAMS)
    refused.violations = ((field, problem),)
    return refused


def _sentence(refused: Refused) -> str:
    told = "; ".join(f"{field}: {problem}" if field else problem for field, problem in refused.violations)
    return f"{refused.message}: {told}" if told else refused.message


def _details(refused: Refused) -> list[Mapping[str, Any]]:
    info: dict[str, Any] = {"@type": _INFO, "reason": refused.kind.reason, "domain": _DOMAIN}
    if refused.details:
        info["metadata"] = {name: str(value) for name, value in refused.details.items()}
    details: list[Mapping[str, Any]] = [info]
    if refused.violations:
        wrong = [{"field": field, "description": problem} for field, problem in refused.violations]
        details.append({"@type": _BAD_REQUEST, "fieldViolations": wrong})
    return details
