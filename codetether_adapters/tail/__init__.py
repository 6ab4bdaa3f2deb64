"""What every store needs in its own process: the recent end of the log in memory, and the bells of those who wait.

A reader at or near the head is served from the ring of recent records, whose bytes were encoded once, and only one
that fell behind goes to the store. Nobody polls: a reader listens, reads, and waits for its bell. Rings and bells are
used from the event loop's thread only.
"""

from codetether_adapters.tail.encoding import Entry, encode, encoded, needle
from codetether_adapters.tail.erasures import erasing
from codetether_adapters.tail.notifier import Bell, LocalNotifier
from codetether_adapters.tail.outgoing import FIRST_PAUSE, Outgoing, rest
from codetether_adapters.tail.paging import fill, following, last, of_this_log, position
from codetether_adapters.tail.places import widening
from codetether_adapters.tail.ring import RING_BYTES, Ring

__all__ = [
    "FIRST_PAUSE",
    "RING_BYTES",
    "Bell",
    "Entry",
    "LocalNotifier",
    "Outgoing",
    "Ring",
    "encode",
    "encoded",
    "erasing",
    "fill",
    "following",
    "last",
    "needle",
    "of_this_log",
    "position",
    "rest",
    "widening",
]
