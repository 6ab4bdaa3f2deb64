"""A file that a run leaves with its task: what it is called, and where its bytes are."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import frozen

from codetether_core.artifacts.blobs import BlobId
from codetether_core.errors import Invalid

__all__ = ["ANY_BYTES", "Artifact", "artifact_name", "media_type"]

ANY_BYTES: Final = "application/octet-stream"
"""The media type of bytes about which nothing is known."""

_LONGEST_NAME: Final = 255
_LONGEST_TYPE: Final = 127
_HOLLOW: Final = frozenset({"", ".", ".."})


@frozen(kw_only=True)
class Artifact:
    """One file: ``name`` is a relative path, unique in its task; ``attempt`` is the number of the grant that left it.

    ``size`` is in bytes.
    """

    name: str
    media_type: str
    size: int
    blob: BlobId
    attempt: int
    created_at: datetime


def artifact_name(text: str) -> str:
    """The name that a text is; ``Invalid`` unless it is a relative path, of printable characters, that leads down."""
    if not text or len(text.encode("utf-8", "surrogatepass")) > _LONGEST_NAME:
        raise Invalid("name", f"must have between 1 and {_LONGEST_NAME} bytes")
    if not text.isprintable() or "\\" in text:
        raise Invalid("name", "must be of printable characters, with / between its parts")
    if not _HOLLOW.isdisjoint(text.split("/")):
        raise Invalid("name", "must be a relative path without empty parts and dots alone")
    return text


def media_type(text: str) -> str:
    """The media type that a text names, its parameters included, or that of any bytes; ``Invalid`` if it is none."""
    told = text.strip() or ANY_BYTES
    kind, _, subtype = told.partition(";")[0].strip().partition("/")
    if len(told) > _LONGEST_TYPE or not (told.isascii() and told.isprintable() and kind and subtype):
        raise Invalid("media_type", "must be a media type, such as text/plain")
    return told
