"""Certificates as they are sent (X.509 in DER), to what they say of their bearer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from codetether_core.access import CertificateName, ClientCertificate, NameKind
from codetether_core.errors import Unauthenticated

__all__ = ["read_certificate"]

_MALFORMED: Final = (
    ValueError, TypeError, Warning,
    x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip
"""All that the library says of what it cannot make sense of."""


def read_certificate(der: bytes) -> ClientCertificate:
    """What it says; ``Unauthenticated`` for what is none, or none that its standard allows."""
    try:
        with warnings.catch_warnings(action="error"):
            certificate = x509.load_der_x509_certificate(der)
            return ClientCertificate(
                names=tuple(_names(certificate)),
                serial=certificate.serial_number,
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
            )
    except _MALFORMED:
        raise Unauthenticated("The client certificate is malformed", hint="send one in DER (RFC 5280)") from None


def _names(certificate: x509.Certificate) -> Iterator[CertificateName]:
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        alternative = None
    if alternative is not None:
        for uri in alternative.get_values_for_type(x509.UniformResourceIdentifier):
            yield CertificateName(NameKind.URI, uri)
        for host in alternative.get_values_for_type(x509.DNSName):
            yield CertificateName(NameKind.DNS, host.lower())
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        if isinstance(attribute.value, str):
            yield CertificateName(NameKind.CN, attribute.value)
