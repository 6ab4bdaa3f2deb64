"""Encryption with keys of the installation."""

from codetether_adapters.ciphers.aes import Aes
from codetether_adapters.ciphers.derived_key import DERIVED, derived_key

__all__ = ["DERIVED", "Aes", "derived_key"]
