"""Stores whose values go through passages: on their way in, and back on their way out."""

from codetether_adapters.protected.backend import ProtectedBackend
from codetether_adapters.protected.blobs import EncryptedBlobs
from codetether_adapters.protected.encrypting import Encrypting
from codetether_adapters.protected.passage import Passage, Told, inwards, outwards
from codetether_adapters.protected.redacting import Redacting

__all__ = ["EncryptedBlobs", "Encrypting", "Passage", "ProtectedBackend", "Redacting", "Told", "inwards", "outwards"]
