"""Certificates of clients against the rules that say whom we know by them."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from attrs import frozen

from codetether_adapters.certificates.reading import read_certificate
from codetether_core.access import CertificateRule, ClientCertificate, Principal, known_by
from codetether_core.errors import Unauthenticated
from codetether_core.ports import Clock

__all__ = ["ClientCertificates"]


@frozen
class ClientCertificates:
    """Authenticates by the names in a certificate (port ``CertificateAuthenticator``)."""

    _rules: Sequence[CertificateRule]
    _clock: Clock

    def read(self, certificate: bytes) -> ClientCertificate:
        """What it says, if it is in force; also on a connection that began when it was."""
        said, now = read_certificate(certificate), self._clock.now()
        if now < said.not_before:
            raise Unauthenticated(f"The client certificate of {said} counts from {said.not_before.isoformat()} on only")
        if said.not_after <= now:
            raise Unauthenticated(
                f"The client certificate of {said} expired at {said.not_after.isoformat()}", hint="have it renewed"
            )
        return said

    def principal(self, certificate: ClientCertificate) -> Principal:
        """Whose it is, until it expires."""
        principal = known_by(certificate, self._rules)
        if principal is None:
            raise Unauthenticated(
                f"Nobody is known by the client certificate of {certificate}",
                hint="send a token, or have CODETETHER_CLIENT_CERTIFICATES name one of these",
            )
        return attrs.evolve(principal, expires_at=certificate.not_after)
