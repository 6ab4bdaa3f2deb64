"""Agents of the worker's configuration that speak the Agent Client Protocol."""

from __future__ import annotations

from datetime import timedelta

from attrs import frozen

from codetether_adapters.agents.templates import AgentTemplate

__all__ = ["AcpTemplate"]


@frozen(kw_only=True)
class AcpTemplate(AgentTemplate):
    """An agent that is spoken with. Without arguments for a ``model``, one is chosen among those that it offers.

    It has ``initialize_timeout`` to say what it is and open a session, and may be silent for ``idle_timeout`` at most
    while it works (``None``: for as long as its run may take); while it waits for people it is not silent.
    """

    initialize_timeout: timedelta = timedelta(seconds=30)
    idle_timeout: timedelta | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._require_time("initialize_timeout", self.initialize_timeout)
        self._require_time("idle_timeout", self.idle_timeout)

    def arguments(self, *, model: str | None = None) -> tuple[str, ...]:
        """The command line of one run."""
        if model is None:
            return self.command
        return self.command + tuple(each.replace("{model}", model) for each in self.model or ())
