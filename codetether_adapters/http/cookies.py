"""The cookies that we give to browsers (RFC 6265bis), and how each is kept.

Over TLS their names say that nobody but this host, by TLS, can have set them: ``__Host-``, or ``__Secure-`` for one
that is sent below a path only. Without TLS, on this machine, browsers take neither; elsewhere we give none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from attrs import frozen
from starlette.requests import cookie_parser

__all__ = ["REFRESH_PATH", "SIGN_IN_PATH", "Cookie", "Cookies", "sent"]

REFRESH_PATH: Final = "/v1/auth/refresh"
SIGN_IN_PATH: Final = "/v1/auth/oidc"


@frozen(kw_only=True)
class Cookie:
    """One of them, whatever is in it."""

    name: str
    path: str
    secure: bool
    same_site: Literal["Lax", "Strict"]
    readable: bool = False

    def holding(self, value: str, seconds: int) -> bytes:
        """The ``Set-Cookie`` with which a browser keeps it for so long."""
        marks = ("" if self.readable else "; HttpOnly") + ("; Secure" if self.secure else "")
        text = f"{self.name}={value}; Path={self.path}; Max-Age={max(0, seconds)}; SameSite={self.same_site}{marks}"
        return text.encode("ascii")

    def gone(self) -> bytes:
        """The one with which it forgets it."""
        return self.holding("", 0)


@frozen(kw_only=True)
class Cookies:
    """``session`` lets requests be made and ``refresh`` renews that; pages read ``csrf``; ``sign_in`` is under way."""

    session: Cookie
    refresh: Cookie
    csrf: Cookie
    sign_in: Cookie

    @classmethod
    def of(cls, *, secure: bool, below: str) -> Cookies:
        """Those of a site below a path, which other programs may have the rest of."""
        whole, part = ("__Secure-" if below else "__Host-", "__Secure-") if secure else ("", "")
        top = below or "/"
        return cls(
            session=Cookie(name=f"{whole}ct_session", path=top, secure=secure, same_site="Lax"),
            refresh=Cookie(name=f"{part}ct_refresh", path=f"{below}{REFRESH_PATH}", secure=secure, same_site="Strict"),
            csrf=Cookie(name="ct_csrf", path=top, secure=secure, same_site="Strict", readable=True),
            sign_in=Cookie(
                name=f"{whole}ct_sign_in",
                path=top if secure and not below else f"{below}{SIGN_IN_PATH}",
                secure=secure,
                same_site="Lax",
            ),
        )


def sent(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """What a request shows; over HTTP/2 each may come in a header of its own (RFC 9113, section 8.2.3)."""
    return cookie_parser("; ".join(value.decode("latin-1") for name, value in raw if name == b"cookie"))
