"""A real OpenID provider (npm's ``oidc-provider``, which the OpenID Foundation certified) on a free loopback port."""

from tests.servers.identity.server import IdentityProvider, running

__all__ = ["IdentityProvider", "running"]
