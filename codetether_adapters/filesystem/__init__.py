"""Blobs in a directory: durable, and nothing to install.

A blob is written beside the others, synchronised, and renamed to its address, so that whoever sees it sees all of it.
Its modification time is when that was last done. Two levels of directories keep each of them small. Several processes
may share the directory, also on a network.
"""

from codetether_adapters.filesystem.blobs import FileBlobs, open_blobs

__all__ = ["FileBlobs", "open_blobs"]
