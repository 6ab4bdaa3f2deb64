"""Blobs in a bucket of any store that talks S3.

The client blocks, so it works in threads. A blob's address is known only after its last byte: what is put is written
to a temporary file first, then uploaded under its address, in parts if it is large. Nothing rests on conditional
puts, which many stores lack. A process that dies in the middle of parts leaves an unfinished upload: give the bucket
a lifecycle rule that removes those after a day.
"""

from codetether_adapters.s3.blobs import S3Blobs, open_blobs

__all__ = ["S3Blobs", "open_blobs"]
