"""Bearer tokens from a fixed list, and the policy that goes by roles alone."""

from codetether_adapters.tokens.role_policy import RolePolicy
from codetether_adapters.tokens.static_tokens import StaticToken, StaticTokens

__all__ = ["RolePolicy", "StaticToken", "StaticTokens"]
