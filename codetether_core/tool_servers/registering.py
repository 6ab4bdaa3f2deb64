"""What a tool server may be called, where it may be, and how it may be told who we are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from codetether_core.access import given_url
from codetether_core.agents import SignIn
from codetether_core.errors import Invalid
from codetether_core.ids import TenantId
from codetether_core.tool_servers.tool_server import ToolServer

__all__ = ["changed", "registered", "signing_in"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*(?:_[a-z0-9-]+)*")
"""So that of ``<server>__<tool>`` the first two underscores in a row are the ones between."""

_LONGEST_NAME: Final = 48
_URL: Final = re.compile(r"https?://[^/?#@]+(?:[/?][^#]*)?", re.IGNORECASE)
_PATTERN: Final = re.compile(r"[A-Za-z0-9_.*?-]{1,200}")
_MOST_PATTERNS: Final = 100
_SHORTEST, _LONGEST = timedelta(seconds=1), timedelta(minutes=5)
_LONGEST_DESCRIPTION: Final = 2000

_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_PREFIX: Final = re.compile(r"[ -~]{0,100}")
_TAKEN: Final = frozenset(
    {
        "accept",
        "connection",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "last-event-id",
        "origin",
        "referer",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
    }
)
_TAKEN_FAMILIES: Final = ("accept-", "access-control-", "content-", "mcp-", "sec-", "x-forwarded-")
"""Headers that say something else: of the request, of its body, or of the protocol."""

_AUTHORIZATION: Final = "Authorization"
_BEARER: Final = "Bearer "


def signing_in(secret: str | None, header: str | None = None, prefix: str | None = None) -> SignIn | None:
    """How a server is told who we are: by a secret in a header, behind a prefix.

    Without a header it is ``Authorization``, and without a prefix ``Bearer`` there and none in any other. ``Invalid``
    for a header that says something else, for what no header can have, and for either of them without a secret.
    """
    if secret is None:
        for field, value in (("header", header), ("prefix", prefix)):
            if value is not None:
                raise Invalid(field, "is for a secret, and none is named", hint="name the secret, too")
        return None
    header = _AUTHORIZATION if header is None else header
    if not _HEADER.fullmatch(header):
        raise Invalid("header", "must be the name of a header", hint="such as X-API-Key")
    if header.lower() in _TAKEN or header.lower().startswith(_TAKEN_FAMILIES):
        raise Invalid("header", "says something else", hint="such as Authorization or X-API-Key")
    if prefix is None:
        prefix = _BEARER if header.lower() == _AUTHORIZATION.lower() else ""
    if not _PREFIX.fullmatch(prefix):
        raise Invalid("prefix", "must have at most 100 characters of ASCII", hint="such as 'Bearer '")
    return SignIn(header=header, prefix=prefix, secret=secret)


def registered(
    name: str,
    tenant: TenantId,
    *,
    url: str,
    description: str,
    tools: Sequence[str],
    timeout: timedelta,
    sign_in: SignIn | None,
    registered_by: str,
    now: datetime,
) -> ToolServer:
    """A new one; ``Invalid`` names the first of these that cannot be.

    Whether requests may go to the URL is found out when it is asked: what its host resolves to may be others' then.
    """
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        hint = "use a-z, 0-9, - and single underscores within it, such as issue-tracker"
        raise Invalid("name", f"must be a name of at most {_LONGEST_NAME} characters", hint=hint)
    if not _URL.fullmatch(url):
        hint = "give http:// or https://, a host and a path; what is secret goes into a secret (PUT /v1/secrets/{name})"
        raise Invalid("url", "must be a URL of http or https, without credentials and fragment", hint=hint)
    if not 0 < len(tools) <= _MOST_PATTERNS:
        raise Invalid("tools", f"must be 1 to {_MOST_PATTERNS} patterns", hint="leave them out for all of its tools")
    if not all(map(_PATTERN.fullmatch, tools)):
        hint = "such as search_* or get_issue"
        raise Invalid("tools", "must be names of tools, in which * and ? stand for any characters", hint=hint)
    if not _SHORTEST <= timeout <= _LONGEST:
        raise Invalid("timeout_seconds", "must be between 1 and 300")
    if len(description) > _LONGEST_DESCRIPTION:
        raise Invalid("description", f"must have at most {_LONGEST_DESCRIPTION} characters")
    return ToolServer(
        name=name,
        tenant=tenant,
        url=given_url("url", url),
        registered_by=registered_by,
        registered_at=now,
        description=description,
        tools=tuple(tools),
        timeout=timeout,
        sign_in=sign_in,
    )


def changed(old: ToolServer, new: ToolServer) -> ToolServer:
    """What takes the place of the one of its name: nothing of that stays, least of all whom it sends a secret to."""
    return evolve(new, version=old.version + 1)
