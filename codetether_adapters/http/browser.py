"""The browser that makes a request: the cookies that it shows, whose page it asks for, and the cookies it is given."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from attrs import define, field
from starlette.types import Scope

from codetether_adapters.http.cookies import Cookie, Cookies, sent
from codetether_adapters.http.csrf import Csrf, csrf_token, is_foreign, is_ours, require_csrf_token
from codetether_adapters.http.headers import Headers
from codetether_adapters.http.request import Request
from codetether_adapters.http.site import Site, is_loopback
from codetether_core.access import Principal, Token
from codetether_core.errors import NotConfigured, PermissionDenied, Unauthenticated
from codetether_core.ids import CredentialId
from codetether_core.services import SignedIn

__all__ = ["Browser", "WrongHost"]


class WrongHost(PermissionDenied):
    """Cookies are for our public name alone."""

    code = "wrong_host"


@define(eq=False, slots=False)
class Browser:
    """One request's. ``request`` takes what goes with its answer, ``csrf_token`` is what pages of its sign-in show."""

    site: Site
    scope: Scope
    headers: Headers
    request: Request
    csrf_token: str | None = field(default=None, init=False, repr=False)

    @property
    def origin(self) -> str:
        """The origin of our pages; ``NotConfigured``, ``WrongHost``."""
        self.check()
        return self._origin

    def check(self) -> None:
        """``NotConfigured`` if anybody on the way could read its cookies, ``WrongHost`` where they are another's."""
        if not self._is_safe:
            raise NotConfigured(
                "Browsers keep sign-ins only of servers that speak TLS, or that are on their own machine",
                hint="set CODETETHER_TLS_CERT, or CODETETHER_PUBLIC_URL to an https address where a proxy speaks TLS",
            )
        if self.site.asked(self.scope, self.headers) != self._origin:
            raise WrongHost(
                f"Cookies count at {self._origin} only",
                hint="go there; a proxy in between has to pass the Host header on",
                host=self.headers.get("host") or "",
            )

    @property
    def session(self) -> str | None:
        """The token of the sign-in that it shows."""
        return self._shown(self._cookies.session)

    @property
    def refresh(self) -> str | None:
        """The token that renews it."""
        return self._shown(self._cookies.refresh)

    @property
    def sign_in(self) -> str | None:
        """What it keeps of a sign-in that is under way."""
        return self._shown(self._cookies.sign_in)

    @property
    def below(self) -> str:
        """The path below which it sees us."""
        return self.site.below(self.scope)

    def keep(self, signed_in: SignedIn, key: bytes, now: datetime) -> None:
        """Have it keep a sign-in; ``key`` is the installation's."""
        credential = signed_in.credential
        self.csrf_token = csrf_token(key, credential.tenant, credential.id)
        once, whole = (
            round(((end or now) - now).total_seconds()) for end in (credential.expires_at, credential.ends_at)
        )
        cookies = self._cookies
        self._answer(cookies.session.holding(signed_in.access, once))
        self._answer(cookies.refresh.holding(signed_in.renewal, whole))
        self._answer(cookies.csrf.holding(self.csrf_token, whole))

    def forget(self) -> None:
        """Have it forget that."""
        for cookie in (self._cookies.session, self._cookies.refresh, self._cookies.csrf):
            self._answer(cookie.gone())

    def forget_session(self) -> None:
        """Have it forget the token that it showed, and keep the one that renews it."""
        self._answer(self._cookies.session.gone())

    def keep_sign_in(self, kept: str, seconds: int) -> None:
        """Have it keep what finishes the sign-in that begins."""
        self._answer(self._cookies.sign_in.holding(kept, seconds))

    def forget_sign_in(self) -> None:
        """Have it forget that, so that it is good once."""
        self._answer(self._cookies.sign_in.gone())

    def recognize(self, principal: Principal, key: bytes, *, changes: bool, stream: bool) -> None:
        """Its sign-in is the principal's; ``Csrf`` where the request may be another site's wish, ``WrongHost``."""
        origin = self.origin
        self.csrf_token = csrf_token(key, principal.tenant, principal.credential or CredentialId(""))
        if changes:
            self.require_own_page()
            require_csrf_token(self.headers, self.csrf_token)
        elif stream and is_foreign(self.headers, origin):
            raise _foreign()

    def require_own_page(self) -> None:
        """``Csrf`` unless a page of ours asks."""
        if not is_ours(self.headers, self.origin):
            raise _foreign()

    def require_page_of(self, token: str, key: bytes) -> None:
        """``Csrf`` unless the page shows what belongs to the sign-in of a token; ``Unauthenticated`` if it is none."""
        parsed = Token.parse(token)
        if parsed is None:
            raise Unauthenticated("The cookie is of no sign-in", hint="sign in again")
        require_csrf_token(self.headers, csrf_token(key, parsed.tenant, parsed.id))

    @cached_property
    def _origin(self) -> str:
        return self.site.origin(self.scope, self.headers)

    @property
    def _is_safe(self) -> bool:
        return self._origin.startswith("https://") or is_loopback(self._origin.partition("://")[2])

    @cached_property
    def _cookies(self) -> Cookies:
        return Cookies.of(secure=self._origin.startswith("https://"), below=self.below)

    def _shown(self, cookie: Cookie) -> str | None:
        value = sent(self.scope["headers"]).get(cookie.name) if "cookie" in self.headers else None
        return value if value and self._is_safe else None

    def _answer(self, cookie: bytes) -> None:
        self.request.with_answer.append((b"set-cookie", cookie))


def _foreign() -> Csrf:
    return Csrf(
        "The browser does not say that a page of ours asks",
        hint="ask from a page of this server, or send a token in the Authorization header instead of a cookie",
    )
