"""Bearer tokens, from a fixed list and from the store."""

from codetether_adapters.tokens.chain import Chain
from codetether_adapters.tokens.kept_tokens import KeptTokens, open_kept_tokens
from codetether_adapters.tokens.static_tokens import StaticToken, StaticTokens

__all__ = ["Chain", "KeptTokens", "StaticToken", "StaticTokens", "open_kept_tokens"]
