"""What tasks leave behind, and the bytes it is made of."""

from codetether_core.artifacts.blobs import (
    CHUNK,
    BlobDamaged,
    BlobId,
    blob_id,
    blocks,
    intact,
    is_blob_id,
    span,
    tenant_folder,
)

__all__ = ["CHUNK", "BlobDamaged", "BlobId", "blob_id", "blocks", "intact", "is_blob_id", "span", "tenant_folder"]
