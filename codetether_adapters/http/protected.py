"""Protected resources: where clients are told of whom they get a token that would do (RFC 9728)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import frozen

__all__ = ["METADATA", "Guidance", "Protected", "metadata_url"]

METADATA: Final = "/.well-known/oauth-protected-resource"
"""Where it is told, with the resource's own path behind it."""


def metadata_url(resource: str) -> str:
    """Where the metadata of the resource at that URL is: at the root of its host."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{METADATA}{parts.path}"


@frozen(kw_only=True)
class Guidance:
    """What goes with a challenge: where the metadata is, and what to ask for there."""

    metadata: str
    scopes: tuple[str, ...]

    @property
    def where(self) -> str:
        """As a parameter of the challenge."""
        return f', resource_metadata="{self.metadata}"'

    @property
    def whole(self) -> str:
        """With the scopes."""
        return f'{self.where}, scope="{" ".join(self.scopes)}"'


@frozen(kw_only=True)
class Protected:
    """The resource at a path of ours, for which ``issuer`` gives tokens; ``scopes`` are to be asked for there."""

    path: str
    issuer: str
    scopes: tuple[str, ...]

    def guidance(self, address: str) -> Guidance:
        """For clients that have us at that address."""
        return Guidance(metadata=metadata_url(f"{address}{self.path}"), scopes=self.scopes)

    def metadata(self, address: str) -> Mapping[str, Any]:
        """The metadata, for them."""
        return {
            "resource": f"{address}{self.path}",
            "authorization_servers": [self.issuer],
            "scopes_supported": self.scopes,
            "bearer_methods_supported": ["header"],
            "resource_name": "CodeTether",
        }
