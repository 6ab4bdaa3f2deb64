"""What a conversation needs of the wire, whoever carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["AgentGone", "AgentRefused", "Speaking"]


class AgentGone(Exception):
    """The agent has closed its streams: no answer will come."""


class AgentRefused(Exception):
    """The agent answered with an error: its ``code``, its words, and ``data`` of whatever shape."""

    def __init__(self, code: int, words: str, data: object = None) -> None:
        super().__init__(words)
        self.code = code
        self.data = data

    @property
    def words(self) -> str:
        """What it says went wrong, with the details if those are words too."""
        details = self.data.get("details") if isinstance(self.data, Mapping) else self.data
        return f"{self}: {details}" if isinstance(details, str) and details and details != str(self) else str(self)


class Speaking(Protocol):
    """Says things to an agent. Both raise ``AgentGone`` where it does not listen any more."""

    async def request(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result, an object; ``AgentRefused``."""
        ...

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Say it and expect nothing."""
        ...
