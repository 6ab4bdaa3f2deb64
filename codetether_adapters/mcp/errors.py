"""Errors as a model can act on them: what was wrong, and the next step, all of it in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codetether_core.errors import CodeTetherError, Invalid, PermissionDenied, RateLimited, Unavailable

__all__ = ["error_result", "told"]

_STEPS: Final[Mapping[str, str]] = {
    "agent_not_found": "call list_agents to see who can be written to",
    "already_answered": "call get_task to see what came of it",
    "approval_not_found": "call get_task to see what is asked",
    "codebase_not_found": "call list_codebases to see which there are",
    "idempotency_mismatch": "use a new idempotency_key, or the arguments of the first call",
    "search_unavailable": "leave query out: everything is listed then",
    "session_not_found": "call list_sessions to see which there are",
    "task_not_found": "call list_tasks to see which there are",
}
_SHOWN: Final = 200


def told(error: CodeTetherError) -> str:
    """One paragraph."""
    step = _STEPS.get(error.code) or error.hint or _general(error)
    known = ", ".join(f"{name}={_text(value)}" for name, value in error.details.items() if _says_more(error, name))
    sentence = f"{error.message}{f' ({known})' if known else ''} [{error.code}]."
    return f"{sentence} Next: {step}." if step else sentence


def error_result(error: CodeTetherError) -> Mapping[str, Any]:
    """The result of a tool that could not do what it was asked for."""
    return {"resultType": "complete", "content": [{"type": "text", "text": told(error)}], "isError": True}


def _general(error: CodeTetherError) -> str:
    match error:
        case Invalid():
            return "call again with that argument put right"
        case RateLimited():
            return "wait, then call again"
        case Unavailable():
            return "call again in a few seconds"
        case PermissionDenied():
            return "ask your user for a token that may do this"
        case _:
            return ""


def _says_more(error: CodeTetherError, name: str) -> bool:
    value = str(error.details[name])
    return bool(value) and not (isinstance(error, Invalid) and name == "field") and value not in error.message


def _text(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
