"""Client certificates: what one says of its bearer, and whom we know by that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from codetether_core.access.principal import Principal

__all__ = ["CertificateName", "CertificateRule", "ClientCertificate", "NameKind", "known_by"]


class NameKind(StrEnum):
    """Where in a certificate a name stands: among its alternative names, or as the subject's common name."""

    URI = "uri"
    DNS = "dns"
    CN = "cn"


@frozen
class CertificateName:
    """A name that a certificate can have. DNS names are in small letters."""

    kind: NameKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


@frozen(kw_only=True)
class ClientCertificate:
    """What it says. ``names`` are in its own order; it counts from ``not_before`` on and before ``not_after``."""

    names: tuple[CertificateName, ...]
    serial: int
    not_before: datetime
    not_after: datetime

    def __str__(self) -> str:
        """How a refusal names it, so that its bearer and whoever reads the log know which it was."""
        told = ", ".join(str(name) for name in self.ranked()) or "no name"
        return f"{told} (serial {self.serial:x})"

    def ranked(self) -> Iterator[CertificateName]:
        """Its names, what says most first: URIs (a SPIFFE id is one), then DNS names, then the common name."""
        for kind in NameKind:
            yield from (name for name in self.names if name.kind is kind)


@frozen
class CertificateRule:
    """Whoever has a certificate with the name is the principal. A common name counts only where a rule asks for it."""

    name: CertificateName
    principal: Principal


def known_by(certificate: ClientCertificate, rules: Iterable[CertificateRule]) -> Principal | None:
    """Whose it is: the first of its ranked names decides that a rule has."""
    principals = {rule.name: rule.principal for rule in rules}
    return next((principals[name] for name in certificate.ranked() if name in principals), None)
