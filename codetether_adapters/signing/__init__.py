"""Signatures with the installation's keys."""

from codetether_adapters.signing.ed25519 import Ed25519
from codetether_adapters.signing.es256 import DetachedEs256
from codetether_adapters.signing.jws import is_signed

__all__ = ["DetachedEs256", "Ed25519", "is_signed"]
