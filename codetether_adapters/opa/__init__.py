"""The policy in Rego: evaluated in this process, or by an OPA server."""

from codetether_adapters.opa.in_process import PolicyBroken, RegoPolicy, shipped_policy
from codetether_adapters.opa.server import OpaServer, open_opa_server

__all__ = ["OpaServer", "PolicyBroken", "RegoPolicy", "open_opa_server", "shipped_policy"]
