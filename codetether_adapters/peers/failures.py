"""How a call to an agent can fail: what matters is whether the agent has heard it."""

from __future__ import annotations

__all__ = ["Lost", "NotTaken", "Refused"]


class Refused(Exception):
    """The agent has answered, and would answer the same again; ``code`` is JSON-RPC's, or the status of HTTP, or 0
    where it did not say so itself.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotTaken(Exception):
    """Nobody has heard it: it may be said again."""


class Lost(Exception):
    """There is no answer, or it was cut short: what was said may have been heard, or not."""
