"""Failing to start: one sentence and the next step on stderr, and an exit code, never a traceback for a mistake."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from codetether_apps.settings import Settings, SettingsError
from codetether_core.errors import CodeTetherError, PermissionDenied, Unauthenticated

__all__ = ["AskedToLeave", "StartError", "run_or_explain"]


class StartError(CodeTetherError):
    """The process cannot start, through nobody's wrong setting: a port is taken, a directory is read-only."""

    code = "cannot_start"


class AskedToLeave(CodeTetherError):
    """The process was asked to leave before it had begun; so it does, and nothing is wrong."""

    code = "asked_to_leave"


_OK, _ERROR, _USAGE, _UNAUTHENTICATED, _FORBIDDEN, _INTERRUPTED = 0, 1, 2, 3, 4, 130
_CODES: Final = (
    (AskedToLeave, _OK),
    (SettingsError, _USAGE),
    (Unauthenticated, _UNAUTHENTICATED),
    (PermissionDenied, _FORBIDDEN),
)


def run_or_explain(read: Callable[[], Settings], run: Callable[[Settings], Awaitable[int | None]]) -> int:
    """Read the settings, run with them, and return the exit code; say what is wrong if either cannot be."""
    try:
        settings = read()
        return asyncio.run(_awaited(run, settings)) or 0
    except BaseExceptionGroup as group:
        expected = group.subgroup(CodeTetherError)
        rest = group.split(CodeTetherError)[1]
        if expected is None or rest is not None:
            raise
        return _explained(_first(expected))
    except CodeTetherError as error:
        return _explained(error)
    except KeyboardInterrupt:
        return _INTERRUPTED


async def _awaited(run: Callable[[Settings], Awaitable[int | None]], settings: Settings) -> int | None:
    return await run(settings)


def _explained(error: CodeTetherError) -> int:
    hint = f": {error.hint}" if error.hint else ""
    print(f"codetether: {error.message}{hint}", file=sys.stderr)
    return next((code for kind, code in _CODES if isinstance(error, kind)), _ERROR)


def _first(group: BaseExceptionGroup[CodeTetherError]) -> CodeTetherError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
