"""Stores in this process's memory: the reference implementation, for tests, demonstrations and reading.

Everything is lost with the process. No method awaits anything between its first look and its last write, so each is
atomic on the event loop, and nobody's cancellation can cut it in two.
"""

from codetether_adapters.memory.backend import MemoryBackend, open_backend
from codetether_adapters.memory.blobs import MemoryBlobs, open_blobs

__all__ = ["MemoryBackend", "MemoryBlobs", "open_backend", "open_blobs"]
