"""Signing in at the identity provider with a browser: there by one redirect, back by another, with cookies then."""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import field, frozen
from starlette.responses import Response

from codetether_adapters.http.addresses import network_of
from codetether_adapters.http.call import Call
from codetether_adapters.http.cookies import SIGN_IN_PATH
from codetether_adapters.http.routing import Route
from codetether_core.access import PUBLIC
from codetether_core.errors import Invalid, NotConfigured
from codetether_core.ports import SIGN_INS, ProviderAnswer, ProviderSignIn

__all__ = ["ROUTES"]

_CALLBACK: Final = f"{SIGN_IN_PATH}/callback"
_KEPT: Final = 600
"""Seconds for which a browser keeps what it brings back."""

_LOCAL: Final = re.compile(r"/(?!/)[!-\[\]-~]{0,1000}", re.ASCII)
"""A path on this server: browsers take a second slash for a host, a backslash for a slash, and drop what is no text."""


@frozen
class Begin:
    """``return_to`` is the path of the page to be shown afterwards."""

    return_to: str | None = None


@frozen(kw_only=True)
class Answer:
    """What the provider has the browser bring."""

    state: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    iss: str = ""
    error: str = ""
    error_description: str = ""


async def begin(call: Call) -> Response:
    """To the provider's page; from there the browser comes back signed in, with cookies."""
    asked = call.query(Begin)
    return_to = f"{call.browser.below}/" if asked.return_to is None else asked.return_to
    if not _LOCAL.fullmatch(return_to):
        raise Invalid("return_to", "must be a path on this server, such as /tasks, percent-encoded")
    sign_in = _provider(call)
    await call.limiting.count(SIGN_INS, "provider", network_of(call.address))
    begun = await sign_in.begin(f"{call.browser.origin}{call.browser.below}{_CALLBACK}", return_to)
    call.browser.keep_sign_in(begun.kept, _KEPT)
    return _redirect(begun.url)


async def finish(call: Call) -> Response:
    """Back from the provider: the sign-in is kept in cookies, and the page shown that was asked for."""
    asked = call.query(Answer)
    sign_in = _provider(call)
    await call.limiting.count(SIGN_INS, "callback", network_of(call.address))
    call.browser.check()
    call.browser.forget_sign_in()
    finished = await sign_in.finish(
        call.browser.sign_in,
        ProviderAnswer(
            state=asked.state,
            code=asked.code,
            issuer=asked.iss,
            error=asked.error,
            error_description=asked.error_description,
        ),
    )
    call.request.recognize(finished.principal)
    signed_in = await call.services.signing_in.exchange(finished.principal, {"type": "browser"})
    call.browser.keep(signed_in, call.services.issuing.require_key(), call.services.clock.now())
    return _redirect(finished.return_to)


def _provider(call: Call) -> ProviderSignIn:
    provider = call.authentication.provider
    if provider is None:
        raise NotConfigured("This server has no identity provider", hint="set CODETETHER_OIDC_ISSUER")
    if provider.sign_in is None:
        call.services.issuing.require_key()
        raise NotConfigured("Nobody signs in there with a browser", hint="codetether login --browser")
    return provider.sign_in


def _redirect(url: str) -> Response:
    return Response(status_code=303, headers={"location": url})


def _route(path: str, endpoint: Any, summary: str, query: type) -> Route:
    return Route(
        "GET", path, endpoint, PUBLIC, summary=summary, tag="auth", query=query, status=303,
        errors=(401, 403, 429, 501, 503),
    )  # fmt: skip


ROUTES: Final = (
    _route(f"{SIGN_IN_PATH}/login", begin, "Sign in at the identity provider with a browser", Begin),
    _route(_CALLBACK, finish, "Come back from the identity provider", Answer),
)
