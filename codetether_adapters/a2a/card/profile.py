"""What a card says, before it is written in any release's words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from attrs import frozen

__all__ = ["Extension", "Interface", "Profile", "Scheme", "SchemeKind", "Skill"]


@frozen
class Interface:
    """The protocol at a path, in one of its bindings and releases."""

    path: str
    binding: str
    version: str


@frozen(kw_only=True)
class Skill:
    """What messages may ask for by ``id``."""

    id: str
    name: str
    description: str
    tags: tuple[str, ...]
    examples: tuple[str, ...] = ()


@frozen
class Extension:
    """One that clients may do without."""

    uri: str
    description: str


class SchemeKind(Enum):
    """How one signs in: its names in release 1.0, where it is a member, and in 0.3, where it is a type."""

    HTTP = "httpAuthSecurityScheme", "http"
    OAUTH2 = "oauth2SecurityScheme", "oauth2"
    OPEN_ID = "openIdConnectSecurityScheme", "openIdConnect"
    MUTUAL_TLS = "mtlsSecurityScheme", "mutualTLS"

    def __init__(self, member: str, type: str) -> None:
        self.member = member
        self.type = type


@frozen
class Scheme:
    """A way to sign in, by a name of the card's own; ``told`` is what both releases say of it."""

    name: str
    kind: SchemeKind
    told: Mapping[str, Any]


@frozen(kw_only=True)
class Profile:
    """Everything but our address. Of ``interfaces`` the first is preferred; any one of ``schemes`` is enough."""

    version: str
    interfaces: tuple[Interface, ...]
    skills: tuple[Skill, ...]
    schemes: tuple[Scheme, ...] = ()
    extensions: tuple[Extension, ...] = ()
    push: bool = False

    @property
    def extended(self) -> bool:
        """Whether there is a card for those whom we know: where nobody signs in we know nobody."""
        return bool(self.schemes)
