"""What is asked, operation by operation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, frozen

from codetether_adapters.a2a_wire.values.message import Message
from codetether_adapters.a2a_wire.values.push import PushConfig
from codetether_adapters.a2a_wire.values.task import TaskState

__all__ = [
    "CancelTask",
    "Configuration",
    "ExtendedCard",
    "GetTask",
    "ListPushConfigs",
    "ListTasks",
    "NamedPushConfig",
    "SendMessage",
    "Subscribe",
]


@frozen(kw_only=True)
class Configuration:
    """How to answer: ``history_length`` of ``None`` is all of it; without ``return_immediately`` the answer waits."""

    accepted_output_modes: tuple[str, ...] = ()
    history_length: int | None = None
    return_immediately: bool = False
    push_config: PushConfig | None = None


@frozen(kw_only=True)
class SendMessage:
    """Say something: to a new task, or with its ``task_id`` to one that waits for an answer."""

    message: Message
    configuration: Configuration = Factory(Configuration)
    metadata: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class GetTask:
    """Show a task."""

    id: str
    history_length: int | None = None


@frozen(kw_only=True)
class ListTasks:
    """Show those that match, by the moment of their status, the latest first."""

    context_id: str | None = None
    status: TaskState | None = None
    page_size: int = 50
    page_token: str = ""
    history_length: int | None = None
    status_timestamp_after: datetime | None = None
    include_artifacts: bool = False


@frozen(kw_only=True)
class CancelTask:
    """End a task."""

    id: str
    metadata: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class Subscribe:
    """Watch a task."""

    id: str


@frozen(kw_only=True)
class NamedPushConfig:
    """One webhook of a task; without an ``id`` the one that goes by the task's."""

    task_id: str
    id: str | None = None


@frozen(kw_only=True)
class ListPushConfigs:
    """The webhooks of a task."""

    task_id: str
    page_size: int = 50
    page_token: str = ""


@frozen
class ExtendedCard:
    """What we tell those of us whom we know."""
