"""What a copy of a store is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from codetether_core import codec
from codetether_core.access import Account, Credential
from codetether_core.agents import Agent
from codetether_core.approvals import Approval
from codetether_core.codebases import Codebase
from codetether_core.errors import Invalid
from codetether_core.messages import Message
from codetether_core.secrets import DataKey, Secret
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import Task
from codetether_core.tool_servers import ToolServer
from codetether_core.webhooks import Webhook
from codetether_core.workers import Worker

__all__ = ["Entry", "check_entry"]


@frozen
class Entry:
    """One piece of a copy: plain JSON values, and what they are."""

    kind: str
    data: Mapping[str, Any]


@frozen
class _Session:
    session: Session
    messages: tuple[SessionMessage, ...]


@frozen
class _ErasedSession:
    codebase: str
    id: str


@frozen
class _Task:
    task: Task
    approvals: tuple[Approval, ...]
    events: int


@frozen
class _Blob:
    id: str
    size: int


@frozen
class _Event:
    scope: str
    subject: str
    kind: str
    at: datetime
    data: Mapping[str, Any]


@frozen
class _Stretch:
    chain: str
    start: int
    records: tuple[Any, ...]


_SHAPES: Final[Mapping[str, type]] = {
    "codebase": Codebase,
    "worker": Worker,
    "agent": Agent,
    "credential": Credential,
    "account": Account,
    "data_key": DataKey,
    "secret": Secret,
    "tool_server": ToolServer,
    "webhook": Webhook,
    "message": Message,
    "erased_session": _ErasedSession,
    "session": _Session,
    "task": _Task,
    "blob": _Blob,
    "event": _Event,
    "audit": _Stretch,
}


def check_entry(entry: Entry) -> None:
    """``Invalid`` for what no store of ours can have had; of a copy from elsewhere everything has to pass."""
    shape = _SHAPES.get(entry.kind)
    if shape is None:
        raise Invalid("kind", "is one that this program does not know", hint="use a newer release")
    codec.parse(shape, entry.data)
    if entry.kind == "audit" and not all(_is_record(each) for each in entry.data["records"]):
        raise Invalid("records", "must be numbers, each with its record")


def _is_record(value: object) -> bool:
    match value:
        case [int(), str()]:
            return True
        case _:
            return False
