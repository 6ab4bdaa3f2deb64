"""Bearer tokens, from a fixed list and from the store, and the policy that goes by roles alone."""

from codetether_adapters.tokens.chain import Chain
from codetether_adapters.tokens.kept_tokens import KeptTokens, open_kept_tokens
from codetether_adapters.tokens.role_policy import RolePolicy
from codetether_adapters.tokens.static_tokens import StaticToken, StaticTokens

__all__ = ["Chain", "KeptTokens", "RolePolicy", "StaticToken", "StaticTokens", "open_kept_tokens"]
