"""The audit trail of this process, at its beginning and its end."""

from __future__ import annotations

import structlog

from codetether_core.errors import CodeTetherError
from codetether_core.services import TrailUpkeep

__all__ = ["end_trail", "tell_of_unsigned"]

_log = structlog.get_logger(__name__)


def tell_of_unsigned() -> None:
    """Nobody vouches for what the trail says."""
    _log.warning(
        "audit_unsigned",
        lost="whoever can write to the store can write the audit trail anew",
        hint="set CODETETHER_SECRET_KEY, the same on every server of this store",
    )


async def end_trail(upkeep: TrailUpkeep) -> None:
    """Write down what was counted; if the store is away, so are the counts since the last minute."""
    try:
        await upkeep.finish()
    except CodeTetherError as error:
        _log.error("audit_unfinished", lost="counts of reads and renewals", error=error.message, hint=error.hint)
