"""The grant: one worker's right to speak about one task, and the fence that checks it.

A grant is named by a number, one above the last, *and* a 128-bit nonce: a store that was restored may count twice,
a nonce never repeats. A worker's name is no grant, for a restarted pod has the same name. Deployed 1.4.3 workers
carry no token; for a grant that was claimed without one the fence is (principal, worker id).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hmac import compare_digest

from attrs import field, frozen

from codetether_core.errors import LeaseRequired, StaleLease
from codetether_core.ids import WorkerId

__all__ = ["Grant", "LeaseTerms", "Word"]


@frozen(kw_only=True)
class LeaseTerms:
    """For how long a grant lasts: ``ttl`` from each renewal, ``run_timeout`` in all.

    ``silence`` bounds how long mere presence of the worker renews a grant that has no token, counted from the
    holder's last word about that very task.
    """

    ttl: timedelta = timedelta(seconds=60)
    run_timeout: timedelta = timedelta(hours=24)
    silence: timedelta = timedelta(minutes=30)


@frozen(kw_only=True)
class Word:
    """How a holder presents itself: its authenticated ``principal``, its worker id and the token it was given."""

    worker: WorkerId
    principal: str
    token: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class Grant:
    """A lease in force, or the last one there was (``burnt_at`` says since when it no longer counts).

    Alive while ``now < expires_at``; all moments are aware UTC with microseconds. ``spoke_at`` is the holder's last
    word about this task, as against a renewal by mere presence.
    """

    number: int
    nonce: str = field(repr=False)
    worker: WorkerId
    principal: str
    tokened: bool
    granted_at: datetime
    spoke_at: datetime
    expires_at: datetime
    run_deadline: datetime
    burnt_at: datetime | None = None

    @property
    def token(self) -> str:
        """What the holder shows with every word."""
        return f"{self.number}.{self.nonce}"

    def fence(self, word: Word) -> None:
        """Refuse a word that is not this grant's: ``LeaseRequired`` without the token, else ``StaleLease``."""
        if word.token is not None:
            shown = word.token.encode("utf-8", "surrogatepass")
            if not compare_digest(shown, self.token.encode()):
                raise StaleLease("The lease token is not the current one", hint="stop the run; claim again to go on")
        elif self.tokened:
            raise LeaseRequired("This task was claimed with a lease token", hint="send it as X-Lease-Token")
        elif (word.principal, word.worker) != (self.principal, self.worker):
            raise StaleLease("Another worker holds this task", holder=self.worker)

    def extended(self, now: datetime, terms: LeaseTerms) -> datetime:
        """When the grant would expire if renewed now: not after the run's deadline, and not earlier than it does."""
        return max(self.expires_at, min(now + terms.ttl, self.run_deadline))
