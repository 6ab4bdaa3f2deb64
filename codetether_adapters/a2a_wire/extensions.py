"""Extensions of the protocol that are ours."""

from __future__ import annotations

from typing import Final

__all__ = ["IDEMPOTENCY"]

IDEMPOTENCY: Final = "urn:codetether:a2a:idempotency:1"
"""A message that is sent again with the same ``Idempotency-Key`` is the same message: it makes no other task, and
answers no other question."""
