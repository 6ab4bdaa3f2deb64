"""What tasks leave behind, and the bytes it is made of."""

from codetether_core.artifacts.artifact import ANY_BYTES, Artifact, artifact_name, media_type
from codetether_core.artifacts.blobs import (
    CHUNK,
    BlobDamaged,
    BlobId,
    KeptBlob,
    address_before,
    address_of,
    blob_id,
    blocks,
    intact,
    is_blob_id,
    span,
    tenant_folder,
)
from codetether_core.artifacts.leftover import Leftover
from codetether_core.artifacts.segment import LogSegment

__all__ = [
    "ANY_BYTES",
    "CHUNK",
    "Artifact",
    "BlobDamaged",
    "BlobId",
    "KeptBlob",
    "Leftover",
    "LogSegment",
    "address_before",
    "address_of",
    "artifact_name",
    "blob_id",
    "blocks",
    "intact",
    "is_blob_id",
    "media_type",
    "span",
    "tenant_folder",
]
