"""Signatures with the installation's key."""

from codetether_adapters.signing.ed25519 import Ed25519

__all__ = ["Ed25519"]
