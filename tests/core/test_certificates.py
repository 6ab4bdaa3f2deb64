"""Whom a client certificate makes one: what says most about it decides, and only names that a rule asks for."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from codetether_core.access import CertificateName, CertificateRule, ClientCertificate, NameKind, Principal, known_by

NOW = datetime(2026, 11, 22, tzinfo=UTC)
names = st.builds(CertificateName, st.sampled_from(NameKind), st.sampled_from("abc"))


def certificate(*names: CertificateName) -> ClientCertificate:
    return ClientCertificate(names=names, serial=255, not_before=NOW, not_after=NOW)


def rules(known: set[CertificateName]) -> list[CertificateRule]:
    return [CertificateRule(name, Principal(name=str(name))) for name in sorted(known, key=str)]


@given(st.lists(names), st.sets(names))
def test_the_best_of_the_names_that_are_known_decides(
    shown: list[CertificateName], known: set[CertificateName]
) -> None:
    found = known_by(certificate(*shown), rules(known))
    common = [name for kind in ("uri", "dns", "cn") for name in shown if name.kind == kind and name in known]
    assert (found.name if found else None) == (str(common[0]) if common else None)


def test_a_name_counts_only_where_it_stands() -> None:
    """The common name ``a`` is not the host ``a``."""
    only = rules({CertificateName(NameKind.DNS, "a"), CertificateName(NameKind.URI, "a")})
    assert known_by(certificate(CertificateName(NameKind.CN, "a")), only) is None


def test_how_one_is_named() -> None:
    shown = certificate(CertificateName(NameKind.CN, "x"), CertificateName(NameKind.URI, "spiffe://t/x"))
    assert str(shown) == "uri:spiffe://t/x, cn:x (serial ff)"
    assert str(certificate()) == "no name (serial ff)"
