"""Passwords, kept as Argon2id hashes (RFC 9106)."""

from codetether_adapters.passwords.argon2id import Argon2id

__all__ = ["Argon2id"]
