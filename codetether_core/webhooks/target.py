"""Where a receiver is, and how we sign in there."""

from __future__ import annotations

import re
from typing import Final

from attrs import evolve, field, frozen

from codetether_core.access import given_url
from codetether_core.errors import Invalid

__all__ = ["Target", "checked_target"]

_LONGEST: Final = 4096
_SCHEME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", re.ASCII)
_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", re.ASCII)
_SIGNED_IN: Final = re.compile(r"[^/?#]*//[^/?#]*@")


@frozen(kw_only=True)
class Target:
    """``token`` is what the receiver knows us by; ``scheme`` and ``credentials`` go into ``Authorization``."""

    url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    scheme: str | None = None
    credentials: str | None = field(default=None, repr=False)


def checked_target(target: Target) -> Target:
    """The same with its URL written in one way; ``Invalid`` for one that no request could be made to."""
    url = given_url("url", target.url)
    if not url.startswith(("http://", "https://")):
        raise Invalid("url", "must be a URL of http or https", hint="give http:// or https://, a host and a path")
    if _SIGNED_IN.match(target.url):
        raise Invalid("url", "must not have credentials in it", hint="give them as authentication")
    url = url.partition("#")[0]
    _check("token", target.token)
    if target.scheme is not None and not _SCHEME.fullmatch(target.scheme):
        raise Invalid("authentication.scheme", "must be the name of a scheme of HTTP authentication, such as Bearer")
    _check("authentication.credentials", target.credentials)
    return evolve(target, url=url, token=target.token or None)


def _check(field: str, value: str | None) -> None:
    """Whether it can stand in a header."""
    if value and (len(value) > _LONGEST or not _VALUE.fullmatch(value)):
        raise Invalid(field, f"must have at most {_LONGEST} characters, all of them printable ASCII")
