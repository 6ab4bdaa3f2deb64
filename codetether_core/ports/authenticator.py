"""Who is asking."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from codetether_core.access import ClientCertificate, Principal

__all__ = ["Authenticator", "CertificateAuthenticator"]


class Authenticator(Protocol):
    """Turns credentials of one kind, or several, into principals."""

    async def authenticate(self, credential: str) -> Principal | None:
        """The principal whose bearer token this is; ``None`` if it is of no kind that is known here.

        ``Unauthenticated`` for one of a known kind that does not count, or no longer.
        """
        ...

    def standing(self, principal: Principal, fall: Callable[[], None]) -> AbstractContextManager[None]:
        """Within, ``fall`` is called as soon as what the principal showed is taken back; its time the principal has."""
        ...


class CertificateAuthenticator(Protocol):
    """Turns client certificates into principals. That whoever shows one also has its key was seen to before."""

    def read(self, certificate: bytes) -> ClientCertificate:
        """What a certificate (DER) says; ``Unauthenticated`` if it is none, or does not count now."""
        ...

    def principal(self, certificate: ClientCertificate) -> Principal:
        """Whose it is, for as long as it counts; ``Unauthenticated`` says which one was seen, if it is nobody's."""
        ...
