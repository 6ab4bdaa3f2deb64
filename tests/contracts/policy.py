"""What ``contracts/policy/cases.json`` says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from codetether_core.access import Principal

__all__ = ["CASES", "MATRIX", "ROLE_NAMES", "Case"]

_SAID: Final = json.loads((Path(__file__).parents[2] / "contracts/policy/cases.json").read_text("utf-8"))


@frozen
class Case:
    """Whether somebody may do something."""

    name: str
    principal: Principal
    permission: str
    allow: bool


def _case(said: Mapping[str, Any]) -> Case:
    scopes = None if said["scopes"] is None else frozenset(said["scopes"])
    principal = Principal(name="carol", roles=frozenset(said["roles"]), scopes=scopes)
    return Case(said["name"], principal, said["permission"], said["allow"])


MATRIX: Final[Mapping[str, frozenset[str]]] = {each: frozenset(roles) for each, roles in _SAID["matrix"].items()}
"""Of every permission, the roles that hold it."""

ROLE_NAMES: Final[Sequence[str]] = sorted(frozenset().union(*MATRIX.values()))

CASES: Final[Sequence[Case]] = [
    *(_case(said) for said in _SAID["cases"]),
    *(
        Case(f"{role} {permission}", Principal(name="carol", roles=frozenset({role})), permission, role in roles)
        for permission, roles in MATRIX.items()
        for role in ROLE_NAMES
    ),
]
"""Those that are written out, and every cell of the matrix."""
