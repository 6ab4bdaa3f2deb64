"""``codetether policy``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from attrs import Factory, frozen

from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import print_json, print_table, wants_json
from codetether_apps.cli.wishes import shared
from codetether_core import codec
from codetether_core.access import PERMISSIONS, ROLES, Principal
from codetether_core.errors import Invalid, PermissionDenied
from codetether_core.ports import Authorizer

__all__ = ["policy"]

_DIFFERS = 1


@frozen(kw_only=True)
class _Case:
    """Whether somebody of these roles and scopes may do something."""

    roles: tuple[str, ...]
    permission: str
    allow: bool
    scopes: tuple[str, ...] | None = None
    name: str = ""

    @property
    def principal(self) -> Principal:
        scopes = None if self.scopes is None else frozenset(self.scopes)
        return Principal(name="somebody", roles=frozenset(self.roles), scopes=scopes)


@frozen(kw_only=True)
class _Cases:
    """What a policy has to decide: for each permission the roles that hold it, and further cases."""

    matrix: Mapping[str, Any] = Factory(dict[str, Any])
    cases: tuple[_Case, ...] = ()

    def __iter__(self) -> Iterator[_Case]:
        yield from self.cases
        for permission, roles in self.matrix.items():
            for role in ROLES:
                yield _Case(roles=(role,), permission=permission, allow=role in roles, name=f"{role}, {permission}")


@click.group(cls=Group)
def policy() -> None:
    """Who may do what (CODETETHER_POLICY)."""


@policy.command("test")
@click.argument("cases", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@shared
@click.pass_context
def try_out(ctx: click.Context, cases: Path | None) -> int:
    """Try the policy that the settings name.

    Without CASES it is told which role holds which permission. CASES is JSON such as
    {"matrix": {"tasks:read": ["viewer"]}, "cases": [{"roles": ["admin"], "scopes": ["tasks:*"], "permission":
    "audit:read", "allow": false}]}; the exit code is 1 if the policy decides one of them otherwise.
    """
    if cases is None:
        every = [_Case(roles=(role,), permission=each, allow=True) for each in sorted(PERMISSIONS) for role in ROLES]
        _tell(ctx, asyncio.run(_decided(every)))
        return 0
    wanted = [*_read(cases)]
    wrong = [(case, allowed) for case, allowed in asyncio.run(_decided(wanted)) if allowed != case.allow]
    if wants_json(ctx):
        print_json([{**codec.dump(case), "decided": allowed} for case, allowed in wrong])
    else:
        for case, allowed in wrong:
            click.echo(f"{case.name or case.permission}: {_word(allowed)}, not {_word(case.allow)}")
        click.echo(f"{len(wanted):,} cases, {len(wrong):,} decided otherwise")
    return _DIFFERS if wrong else 0


def _read(path: Path) -> _Cases:
    try:
        return codec.parse(_Cases, json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, Invalid) as error:
        raise click.UsageError(f"{path} has no cases: {error}") from None


async def _decided(cases: Sequence[_Case]) -> list[tuple[_Case, bool]]:
    from codetether_apps.settings import read_settings
    from codetether_apps.wiring.policy import open_policy

    async with open_policy(read_settings()) as authorizer:
        return [(case, await _allows(authorizer, case)) for case in cases]


async def _allows(authorizer: Authorizer, case: _Case) -> bool:
    try:
        await authorizer.authorize(case.principal, case.permission)
    except PermissionDenied:
        return False
    return True


def _tell(ctx: click.Context, rows: Sequence[tuple[_Case, bool]]) -> None:
    holders: dict[str, list[str]] = {}
    for case, allowed in rows:
        holders.setdefault(case.permission, []).extend(case.roles if allowed else ())
    if wants_json(ctx):
        print_json(holders)
        return
    print_table(
        ctx,
        [*holders.items()],
        {"permission": lambda row: row[0], "roles": lambda row: ", ".join(row[1]) or "nobody"},
        none="no permissions",
    )


def _word(allowed: bool) -> str:
    return "allowed" if allowed else "refused"
