"""What a refusal means for the one who is refused, and how long to go on asking somebody who cannot answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum, auto
from typing import Final, TypeVar

import structlog
from attrs import frozen

from codetether_core.errors import (
    CodeTetherError,
    Conflict,
    Invalid,
    NotConfigured,
    NotFound,
    StaleLease,
    TooLarge,
    VersionConflict,
)
from codetether_core.ports import Clock, Entropy

__all__ = ["Ending", "Persistence", "is_refusal", "verdict"]

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_FIRST: Final = timedelta(milliseconds=200)
_LONGEST: Final = timedelta(seconds=10)


class Ending(Enum):
    """Why a run has to end before its agent does."""

    CANCELLED = auto()
    SUPERSEDED = auto()
    """Another grant, or an outcome, has taken its place: nothing that we say counts any more."""
    UNRENEWED = auto()
    """Another worker could enter the checkout by the time the server hears of us again."""
    DRAINED = auto()
    UNHEARD = auto()
    """The server takes no more of its output: it has failed."""


def is_refusal(error: CodeTetherError) -> bool:
    """Whether the server has answered, and would answer the same again."""
    if isinstance(error, NotFound):
        return error.code == "task_not_found"  # anything else may be a proxy's word
    return isinstance(error, Conflict | Invalid | NotConfigured | TooLarge) and not isinstance(error, VersionConflict)


def verdict(error: CodeTetherError) -> Ending | None:
    """What a refusal says of our grant; ``None`` if the server could not answer, or refused these very words only."""
    if isinstance(error, StaleLease) and error.details.get("state") == "cancelled":
        return Ending.CANCELLED
    if isinstance(error, Conflict | NotFound) and is_refusal(error):
        return Ending.SUPERSEDED
    return None


@frozen
class Persistence:
    """Asks again, with growing random pauses, for as long as there is no answer."""

    clock: Clock
    entropy: Entropy

    async def answer(self, word: Callable[[], Awaitable[T]]) -> T:
        """What ``word`` returns in the end; a refusal is raised."""
        failures = 0
        while True:
            try:
                return await word()
            except CodeTetherError as error:
                if is_refusal(error):
                    raise
                if not failures:
                    _log.warning("server_does_not_answer", error=error.message)
            await self.pause(failures)
            failures += 1

    async def pause(self, failures: int, longest: timedelta = _LONGEST) -> None:
        """Wait before the next try, after so many failures in a row (full jitter)."""
        ceiling = min(longest, _FIRST * (1 << min(failures, 16)))
        await self.clock.sleep(ceiling * self.entropy.fraction())
