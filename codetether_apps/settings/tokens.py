"""Tokens in a setting: ``name:token[:role]``, commas between.

Tokens may hold colons. A last part in small letters is a role, and refused if it is none; any other belongs to the
token, whose bearer is an editor and a worker then.
The deployed ``A2A_AUTH_TOKENS`` knows no roles: everything after the name is the token.
"""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from codetether_apps.settings.kinds import Kind, items
from codetether_core.access import ROLES

__all__ = ["DEPLOYED_TOKENS", "TOKENS", "GivenToken"]

_DEFAULT: Final = frozenset({"editor", "worker"})
_SHAPE: Final = f"name:token or name:token:role (role one of {', '.join(sorted(ROLES))}), with commas between"


@frozen
class GivenToken:
    """One entry: who shows the token, and what that allows."""

    name: str
    token: str = field(repr=False)
    roles: frozenset[str] = _DEFAULT

    @property
    def by_default(self) -> bool:
        """Whether no role was given; no single role is both."""
        return self.roles == _DEFAULT


def _with_role(text: str) -> GivenToken:
    name, token = _name_and_token(text)
    rest, colon, role = token.rpartition(":")
    if colon and not rest and role in ROLES:
        raise ValueError(f"a token for {name} before its role: it is empty, as where a variable is not set")
    if colon and role in ROLES:
        return GivenToken(name, rest, frozenset({role}))
    if colon and role.isalpha() and role.islower():
        raise ValueError(f"a role that there is after the token of {name}: one of {', '.join(sorted(ROLES))}")
    return GivenToken(name, token)


def _without_role(text: str) -> GivenToken:
    return GivenToken(*_name_and_token(text))


def _name_and_token(text: str) -> tuple[str, str]:
    name, _, token = text.partition(":")
    name, token = name.strip(), token.strip()
    if not name or not token or any(character.isspace() for character in token):
        raise ValueError(_SHAPE)
    return name, token


def _distinct(kind: Kind[tuple[GivenToken, ...]]) -> Kind[tuple[GivenToken, ...]]:
    """The same kind, that refuses a token given to two names: nobody could tell them apart."""

    def read(raw: object) -> tuple[GivenToken, ...]:
        given = kind.read(raw)
        names: dict[str, str] = {}
        for each in given:
            if each.token in names:
                raise ValueError(f"different tokens: {names[each.token]} and {each.name} have the same")
            names[each.token] = each.name
        return given

    return Kind(kind.name, read, lambda given: ",".join(f"{each.name}:***" for each in given), many=True)


TOKENS: Final = _distinct(items("name:token[:role] list", _with_role))
DEPLOYED_TOKENS: Final = _distinct(items("name:token list", _without_role))
