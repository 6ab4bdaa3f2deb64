"""Encryption with keys of the installation."""

from codetether_adapters.ciphers.aes_gcm import AesGcm
from codetether_adapters.ciphers.derived_key import DERIVED, derived_key

__all__ = ["DERIVED", "AesGcm", "derived_key"]
