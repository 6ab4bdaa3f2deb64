"""Who acts just now. It goes with the task that runs, so that a store far below a request knows whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from codetether_core.audit import SYSTEM_ACTOR, Act, Actor

__all__ = ["Acting"]


class Acting:
    """Acts that do not end with the code that began them: ``with acting(actor) as act``. Who acts otherwise is us."""

    def __init__(self) -> None:
        self._present: ContextVar[Act | None] = ContextVar("act", default=None)

    @contextmanager
    def __call__(self, actor: Actor) -> Iterator[Act]:
        """While this lasts, the actor is the one; the act may get another one when that is known better."""
        act = Act(actor)
        before = self._present.set(act)
        try:
            yield act
        finally:
            self._present.reset(before)

    @property
    def actor(self) -> Actor:
        """Who acts."""
        act = self._present.get()
        return SYSTEM_ACTOR if act is None else act.actor

    def did(self, records: int) -> None:
        """The trail has so many records more of what is being done."""
        act = self._present.get()
        if act is not None:
            act.records += records
