"""Which records of the trail somebody asks for."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from codetether_core.audit.record import AuditRecord, Outcome

__all__ = ["AuditQuery"]


@frozen(kw_only=True)
class AuditQuery:
    """Every condition that is given must hold; of each, one of the values must. An action may end in ``*``.

    ``since`` is included, ``until`` is not. ``resource`` must occur in the record's.
    """

    actors: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    outcomes: frozenset[Outcome] = frozenset()
    resource: str = ""
    session_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, record: AuditRecord) -> bool:
        """Whether the record is one of those."""
        return (
            (not self.actors or record.actor in self.actors)
            and (not self.actions or any(_is(record.action, each) for each in self.actions))
            and (not self.outcomes or record.outcome in self.outcomes)
            and self.resource in record.resource
            and self.session_id in ("", record.session_id)
            and (self.since is None or record.timestamp >= self.since)
            and (self.until is None or record.timestamp < self.until)
        )


def _is(action: str, asked: str) -> bool:
    return action.startswith(asked[:-1]) if asked.endswith("*") else action == asked
