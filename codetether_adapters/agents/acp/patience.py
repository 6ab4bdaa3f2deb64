"""How long an agent may be silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import inf

import anyio

__all__ = ["Patience"]


class Patience:
    """Cancels what is waited for once nothing was heard for ``limit``, other than for a reason of ours."""

    def __init__(self, limit: timedelta | None) -> None:
        self._limit = inf if limit is None else limit.total_seconds()
        self._excuses = 0
        self._scope = anyio.CancelScope()

    def begin(self) -> anyio.CancelScope:
        """The scope to wait in from now on."""
        self._scope = anyio.CancelScope()
        self.heard()
        return self._scope

    def heard(self) -> None:
        """The agent has said something."""
        self._scope.deadline = inf if self._excuses else anyio.current_time() + self._limit

    @contextmanager
    def excused(self) -> Iterator[None]:
        """It waits for us, or for people: it cannot speak."""
        self._excuses += 1
        self.heard()
        try:
            yield
        finally:
            self._excuses -= 1
            self.heard()
