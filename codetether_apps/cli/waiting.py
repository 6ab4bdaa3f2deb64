"""Saying why a task waits, to somebody who watches it wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from codetether_core.errors import CodeTetherError
from codetether_core.tasks import TaskState

if TYPE_CHECKING:
    from codetether_adapters.client import Client, ExplanationView, WorkerView

__all__ = ["Waiting"]

PATIENCE: Final = 2.0
"""Seconds that a task may wait without a word."""

_OTHER_AGENT: Final = "agent_not_offered"
_INNER_AGENTS: Final = frozenset({"register_codebase"})


class Waiting:
    """Asks the server why the task still waits, beside the stream that is read meanwhile, and tells it."""

    def __init__(self, client: Client, id: str, tell: Callable[[str], None]) -> None:
        self._client = client
        self._id = id
        self._tell = tell
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Waiting:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def hear(self, status: TaskState | None) -> None:
        """The task is in this state now, if any is told."""
        if status is None:
            return
        self._stop()
        if status is TaskState.PENDING:
            self._timer = threading.Timer(PATIENCE, self._explain)
            self._timer.daemon = True
            self._timer.start()

    def _stop(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _explain(self) -> None:
        try:
            found, workers = self._client.tasks.explain(self._id), self._client.workers.list()
        except (CodeTetherError, RuntimeError):  # nobody to ask, or the client is closed: it was only a service
            return
        if found.task.status is TaskState.PENDING and self._timer is threading.current_thread():
            for line in _reasons(found, workers):
                self._tell(line)


def _reasons(found: ExplanationView, workers: Sequence[WorkerView]) -> Iterator[str]:
    yield f"· it waits for {found.waiting_for}"
    if not found.workers:
        yield "  → codetether worker --codebase NAME:PATH"
        return
    if all(_OTHER_AGENT in fit.refusals for fit in found.workers):
        offered = {agent for each in workers if each.status == "active" for agent in each.agents} - _INNER_AGENTS
        yield f"· nobody runs the agent {found.task.agent_type}; on offer are: {', '.join(sorted(offered)) or 'none'}"
        yield "  → name one with --agent, or give a worker this one in its codetether.toml"
    yield f"  → codetether task explain {found.task.id}"
