"""A task before it is submitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import Factory, frozen

from codetether_adapters.client.requests import fresh_key
from codetether_adapters.client.views import CodebaseView

__all__ = ["NewTask"]


@frozen
class NewTask:
    """What a task is to be. It carries its idempotency key: submitting one value twice makes one task.

    ``codebase`` is a value, an id or a name; ``context`` names the conversation that it belongs to, if it belongs to
    one. ``timeout`` limits one run, ``start_by`` fails a task that nobody has taken by then. What
    is ``None`` is left to the server.
    """

    prompt: str
    codebase: str | CodebaseView = "global"
    agent: str = "build"
    model: str | None = None
    title: str | None = None
    priority: int = 0
    metadata: Mapping[str, Any] | None = None
    target_agent: str | None = None
    target_worker: str | None = None
    capabilities: Sequence[str] = ()
    max_attempts: int | None = None
    timeout: timedelta | None = None
    start_by: datetime | None = None
    context: str | None = None
    idempotency_key: str = Factory(fresh_key)

    def body(self) -> Mapping[str, Any]:
        """The members of the request."""
        return {
            "prompt": self.prompt,
            "title": self.title,
            "agent_type": self.agent,
            "model": self.model,
            "priority": self.priority,
            "metadata": self.metadata,
            "target_agent_name": self.target_agent,
            "target_worker_id": self.target_worker,
            "required_capabilities": self.capabilities or None,
            "max_attempts": self.max_attempts,
            "run_timeout_seconds": None if self.timeout is None else int(self.timeout.total_seconds()),
            "start_by": self.start_by,
            "context_id": self.context,
        }
