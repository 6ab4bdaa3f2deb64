"""Client certificates in a setting: ``name:role[+role][@worker]=uri:…``, commas between.

After the equals sign is what a certificate has to have: ``uri:`` or ``dns:`` among its alternative names, or ``cn:``,
the common name of its subject, which counts for nobody else.
"""

from __future__ import annotations

import re
from typing import Final

from codetether_apps.settings.kinds import Kind, items
from codetether_core.access import ROLES, CertificateName, CertificateRule, NameKind, Principal
from codetether_core.ids import WorkerId

__all__ = ["CLIENT_CERTIFICATES"]

_EXAMPLE: Final = "name:role[+role][@worker]=uri:spiffe://team/name, or dns:host, or cn:name"
_SHAPE: Final = re.compile(
    r"(?P<name>[^:=\s]+):(?P<roles>[^@=\s]+)(?:@(?P<worker>[^=\s]+))?=(?P<kind>uri|dns|cn):(?P<value>\S(?:.*\S)?)"
)


def _rule(text: str) -> CertificateRule:
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError(f"{_EXAMPLE}, with commas between")
    name, kind, value, roles = shape["name"], NameKind(shape["kind"]), shape["value"], shape["roles"].split("+")
    if unknown := [role for role in roles if role not in ROLES]:
        there_are = ", ".join(sorted(ROLES))
        raise ValueError(f"a role that there is for {name}: {unknown[0]} is none of {there_are}")
    if kind is NameKind.DNS:
        value = value.lower()
    worker = WorkerId(shape["worker"]) if shape["worker"] else None
    return CertificateRule(CertificateName(kind, value), Principal(name=name, roles=frozenset(roles), worker=worker))


def _written(rule: CertificateRule) -> str:
    principal = rule.principal
    worker = f"@{principal.worker}" if principal.worker else ""
    return f"{principal.name}:{'+'.join(sorted(principal.roles))}{worker}={rule.name}"


def _distinct(kind: Kind[tuple[CertificateRule, ...]]) -> Kind[tuple[CertificateRule, ...]]:
    """The same kind, that refuses what would be two persons."""

    def read(raw: object) -> tuple[CertificateRule, ...]:
        rules = kind.read(raw)
        names: dict[CertificateName, str] = {}
        for rule in rules:
            if rule.name in names:
                raise ValueError(
                    f"different certificates: {names[rule.name]} and {rule.principal.name} are both {rule.name}"
                )
            names[rule.name] = rule.principal.name
        return rules

    return Kind(kind.name, read, kind.show, many=True)


CLIENT_CERTIFICATES: Final = _distinct(items("name:role=uri|dns|cn:… list", _rule, _written))
