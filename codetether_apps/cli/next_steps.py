"""What to do about an error, in commands of this program where the server speaks of its API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from codetether_core.errors import CodeTetherError

__all__ = ["next_step"]

_OURS: Final = {
    "agent_not_found": "codetether agent list",
    "route_not_found": "is that a CodeTether server, of this version? --server and CODETETHER_SERVER name its root",
    "unauthenticated": "codetether login NAME, or the right token in CODETETHER_TOKEN or a --token-file",
}
"""Said in any case."""

_ELSE: Final = {
    "account_not_found": "codetether account list",
    "approval_not_found": "codetether approval list",
    "codebase_not_found": "codetether codebase list",
    "credential_not_found": "codetether token list",
    "permission_denied": "another token may: CODETETHER_TOKEN, or --token-file",
    "session_not_found": "codetether session list CODEBASE",
    "task_not_found": "codetether task list",
}
"""Said where the error itself has no hint."""


def next_step(error: CodeTetherError) -> str:
    """The next step after it, if one is known."""
    return _OURS.get(error.code) or error.hint or _ELSE.get(error.code, "")
