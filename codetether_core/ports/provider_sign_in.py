"""Signing in at an identity provider in a browser: authorization code with PKCE (RFC 6749, 7636, 9700)."""

from __future__ import annotations

from typing import Protocol

from attrs import field, frozen

from codetether_core.access import Principal

__all__ = ["BegunSignIn", "FinishedSignIn", "ProviderAnswer", "ProviderSignIn"]


@frozen(kw_only=True)
class BegunSignIn:
    """Where the browser goes, and what it has to bring back for the sign-in to be finished: sealed, for nobody else."""

    url: str
    kept: str = field(repr=False)


@frozen(kw_only=True)
class ProviderAnswer:
    """What the browser brings from the provider (RFC 6749, section 4.1.2; RFC 9207); empty is not given."""

    state: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    issuer: str = ""
    error: str = ""
    error_description: str = ""


@frozen(kw_only=True)
class FinishedSignIn:
    """Who it is, and where on our pages the browser wanted to go."""

    principal: Principal
    return_to: str


class ProviderSignIn(Protocol):
    """Begins sign-ins and finishes them. Nothing is remembered between: any process with the same key does either."""

    async def begin(self, redirect_uri: str, return_to: str) -> BegunSignIn:
        """One that is to be finished at ``redirect_uri`` within ten minutes; ``Unavailable`` if the provider is."""
        ...

    async def finish(self, kept: str | None, answer: ProviderAnswer) -> FinishedSignIn:
        """Who signed in. ``Unauthenticated`` says by its code what was wrong; ``Unavailable`` if the provider is.

        ``sign_in_unknown``: it was not begun in this browser. ``sign_in_expired``: too long ago. ``sign_in_refused``:
        the provider, or the person, said no. ``sign_in_unproven``: what came does not prove who it is.
        """
        ...
