"""How much of a connection strangers may have, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from attrs import frozen

__all__ = ["Bounds"]

_KIBIBYTE: Final = 1024


@frozen(kw_only=True)
class Bounds:
    """``idle`` is the longest time between two requests of a connection, and from the first byte of a request to the
    end of its headers; ``stall`` that for which what was sent may stay unread.

    A request's first line and headers have no more than ``head`` bytes; of HTTP/2 a connection has ``streams`` at once.
    """

    idle: timedelta
    stall: timedelta
    head: int = 64 * _KIBIBYTE
    streams: int = 100
