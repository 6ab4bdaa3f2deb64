"""Who is asking: the credential in the ``Authorization`` header, else the sign-in in the browser's cookie, else the
client's certificate, and nowhere else.

A bearer token (RFC 6750), or Basic (RFC 7617) whose password is the token; the user name is ignored, which lets
unmodified 1.4.3 workers authenticate by ``--server http://any:TOKEN@host``. Never a token in a URL: URLs are logged.

Browsers add Basic, certificates, and nothing at all where no credential is needed, to other sites' requests too; so
none of these counts when the browser says that the request comes from elsewhere. What a cookie takes besides is in
``browser``.
"""

from __future__ import annotations

from base64 import b64decode

import attrs
from attrs import frozen

from codetether_adapters.http.csrf import is_of_another_site
from codetether_adapters.http.headers import Headers
from codetether_adapters.http.site import is_loopback
from codetether_core.access import ClientCertificate, Principal
from codetether_core.errors import PermissionDenied, Unauthenticated
from codetether_core.ports import Authenticator, CertificateAuthenticator, ProviderSignIn

__all__ = ["Authentication", "IdentityProvider"]

_MISSING = "send Authorization: Bearer <token>; a 1.4.3 worker does so with --server http://any:TOKEN@host:port"


@frozen(kw_only=True)
class IdentityProvider:
    """Who else vouches for people, as whom our programs ask there, and how one signs in there with a browser."""

    issuer: str
    client_id: str
    sign_in: ProviderSignIn | None = None


@frozen(kw_only=True)
class Authentication:
    """Finds the principal of a request.

    ``provider`` is where people may sign in besides. ``origins`` are those of our own pages besides the requested
    host's (the public URL's, ``https://host[:port]``). ``anonymous`` is who asks without a credential, if
    authentication is off: only under a loopback name or one of ``origins``, so that no page can reach us by a name of
    its own that leads here (DNS rebinding).
    """

    authenticator: Authenticator
    origins: frozenset[str] = frozenset()
    anonymous: Principal | None = None
    provider: IdentityProvider | None = None
    certificates: CertificateAuthenticator | None = None

    async def signed_in(self, token: str) -> Principal | None:
        """Whose sign-in a cookie is of, if it is of one that lasts; no other credential counts in a cookie."""
        try:
            principal = await self.authenticator.authenticate(token)
        except Unauthenticated:
            return None
        if principal is None or principal.credential is None or principal.delegated:
            return None
        return principal

    async def principal(
        self,
        headers: Headers,
        signed_in: Principal | None = None,
        certificate: bytes | None = None,
        *,
        spent: bool = False,
    ) -> Principal:
        """Who asks; ``Unauthenticated`` says what is missing or wrong.

        Whoever shows a token is its owner, else whoever is ``signed_in`` by a cookie; the certificate beside it only
        has to count as well. A cookie that is ``spent`` counts as if it was not there.
        """
        shown = self.certificates.read(certificate) if self.certificates and certificate is not None else None
        if headers.get("authorization") is not None:
            return _while_both_count(await self._bearer(headers), shown)
        if signed_in is not None:
            return _while_both_count(signed_in, shown)
        if self.certificates is None or shown is None:
            if spent:
                raise Unauthenticated("The cookie is of no sign-in", hint="sign in again")
            return self._nobody(headers)
        self._refuse_foreign_pages(headers)
        return self.certificates.principal(shown)

    async def _bearer(self, headers: Headers) -> Principal:
        authorization = headers["authorization"]
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip()
        match scheme.lower():
            case "bearer":
                token = credential
            case "basic":
                self._refuse_foreign_pages(headers)
                token = _password(credential)
            case _:
                raise Unauthenticated(
                    "Unknown authentication scheme", hint="use Bearer, or Basic with the token as password"
                )
        if not token:
            raise Unauthenticated("The token is empty")
        principal = await self.authenticator.authenticate(token)
        if principal is None:
            raise Unauthenticated("Invalid token")
        return principal

    def _nobody(self, headers: Headers) -> Principal:
        if self.anonymous is None:
            raise Unauthenticated("Missing Bearer token", hint=_MISSING)
        self._refuse_foreign_pages(headers)
        host = headers.get("host") or ""
        if not is_loopback(host) and not self._is_our_host(host):
            raise PermissionDenied("Without authentication only loopback names are answered", host=host)
        return self.anonymous

    def _refuse_foreign_pages(self, headers: Headers) -> None:
        """``Unauthenticated`` if a browser says that another site's page asks (Fetch Metadata; RFC 6454)."""
        origin, host = headers.get("origin"), headers.get("host")
        foreign = is_of_another_site(headers)
        if origin is not None and origin not in self.origins:
            foreign = foreign or origin.partition("://")[2] != host
        if foreign:
            raise Unauthenticated("A page of another site asks", hint="send a Bearer token")

    def _is_our_host(self, host: str) -> bool:
        return any(origin.partition("://")[2] == host for origin in self.origins)


def _while_both_count(principal: Principal, certificate: ClientCertificate | None) -> Principal:
    if certificate is None:
        return principal
    ends = principal.expires_at
    return attrs.evolve(principal, expires_at=min(ends, certificate.not_after) if ends else certificate.not_after)


def _password(credential: str) -> str:
    try:
        return b64decode(credential, validate=True).decode().partition(":")[2]
    except ValueError:  # no Base64, or no UTF-8
        raise Unauthenticated("The Basic credential is malformed") from None
