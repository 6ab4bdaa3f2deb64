"""Asking a provider from a command, which waits for the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from codetether_adapters.oidc.discovery import document_of
from codetether_adapters.oidc.refusals import SignInRefused
from codetether_core.errors import Unavailable

__all__ = ["asked", "configuration_of", "object_in"]

_PATIENCE: Final = 10.0


def configuration_of(issuer: str) -> Mapping[str, Any]:
    """What it tells of itself; ``SignInRefused`` if it calls itself otherwise, ``Unavailable``."""
    told = object_in(asked(issuer, "GET", document_of(issuer)))
    if told.get("issuer") != issuer:
        raise SignInRefused(f"{issuer} offers no sign-in: it calls itself {told.get('issuer')}")
    return told


def asked(whom: str, method: str, url: str, **form: str) -> httpx.Response:
    """Its answer, whatever that is; ``Unavailable``."""
    try:
        return httpx.request(method, url, data=form or None, timeout=_PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"The identity provider {whom} does not answer: {error or type(error).__name__}") from error


def object_in(answer: httpx.Response) -> Mapping[str, Any]:
    """The JSON object in an answer; ``Unavailable`` if that is none."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Unavailable(f"{answer.url} of the identity provider is no JSON object")
    return told
