"""Sessions and messages as workers tell them, read into the domain's.

Deployed workers give naive moments of their own clock, whose zone nobody knows: they are taken as UTC. ``null``
stands for what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import Factory, frozen

from codetether_core import codec
from codetether_core.errors import Invalid
from codetether_core.ids import CodebaseId, SessionId, TenantId, WorkerId
from codetether_core.sessions import Session, SessionMessage

__all__ = ["ToldMessage", "ToldSession", "message_of", "moment_of", "session_of"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_ID: Final = 500


@frozen
class ToldSession:
    """A session; moments are ISO 8601 text or milliseconds since 1970. Further members are not kept."""

    id: str
    title: str | None = None
    directory: str | None = None
    project_id: str | None = None
    agent: str | None = None
    created: Any = None
    updated: Any = None
    messageCount: int | None = None
    summary: Any = None
    version: str | None = None


@frozen
class ToldMessage:
    """A message: ``time.created``, ``model`` as ``provider/model``, ``parts`` as the agent made them."""

    id: str
    role: str | None = None
    time: Mapping[str, Any] | None = None
    agent: str | None = None
    model: Any = None
    cost: float | None = None
    tokens: Any = None
    tool_calls: tuple[Any, ...] | None = None
    parts: tuple[Any, ...] = Factory(tuple)


def session_of(
    told: ToldSession,
    tenant: TenantId,
    codebase: CodebaseId,
    now: datetime,
    *,
    worker: str | None,
    field: str,
    source: str = "worker_sync",
) -> Session:
    """The session that was told; ``Invalid`` names what is wrong below ``field``."""
    created = moment_of(told.created, f"{field}.created", now)
    members = {"messageCount": told.messageCount, "summary": told.summary, "version": told.version}
    return Session(
        id=_id(told.id, f"{field}.id"),
        tenant=tenant,
        codebase=codebase,
        created_at=created,
        updated_at=moment_of(told.updated, f"{field}.updated", created),
        synced_at=now,
        title=told.title or "",
        directory=told.directory or "",
        project=told.project_id,
        agent=told.agent,
        worker=WorkerId(worker) if worker else None,
        source=source,
        details={name: value for name, value in members.items() if value is not None},
    )


def message_of(told: ToldMessage, session: SessionId, now: datetime, field: str) -> SessionMessage:
    """The message that was told; ``Invalid`` names what is wrong below ``field``."""
    return SessionMessage(
        id=_id(told.id, f"{field}.id"),
        session=session,
        role=told.role or "assistant",
        created_at=moment_of((told.time or {}).get("created"), f"{field}.time.created", now),
        agent=told.agent,
        model=_model(told.model, f"{field}.model"),
        cost=told.cost,
        tokens=told.tokens,
        tool_calls=told.tool_calls or (),
        parts=told.parts,
    )


def moment_of(value: Any, field: str, otherwise: datetime) -> datetime:
    """A moment as ISO 8601 text, or as milliseconds since 1970; ``otherwise`` if there is none."""
    if value is None or value == "":
        return otherwise
    try:
        if isinstance(value, str):
            return codec.moment(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(milliseconds=value)
    except (OverflowError, ValueError):
        pass
    raise Invalid(field, "must be a date and time in ISO 8601, or milliseconds since 1970")


def _id(text: str, field: str) -> SessionId:
    if not text or text in (".", "..") or len(text) > _LONGEST_ID:
        raise Invalid(field, f"must have 1 to {_LONGEST_ID} characters")
    return SessionId(text)


def _model(value: Any, field: str) -> str | None:
    """``provider/model``, also from an object that names the two."""
    if isinstance(value, Mapping):
        names = [value.get("providerID"), value.get("modelID")]
        value = "/".join(name for name in names if isinstance(name, str)) or None
    if not isinstance(value, str | None):
        raise Invalid(field, "must be provider/model")
    return value
