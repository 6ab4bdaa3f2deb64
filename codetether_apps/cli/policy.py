"""``codetether policy``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from codetether_apps.cli.lazy import Group
from codetether_apps.cli.policy_cases import AccessCase, Case, read_cases
from codetether_apps.cli.printing import print_json, print_table, wants_json
from codetether_apps.cli.wishes import shared
from codetether_core import codec
from codetether_core.access import PERMISSIONS, ROLES
from codetether_core.errors import Invalid

__all__ = ["policy"]

_DIFFERS = 1


@click.group(cls=Group)
def policy() -> None:
    """Who may do what, and what agents may do (CODETETHER_POLICY)."""


@policy.command("test")
@click.argument("cases", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@shared
@click.pass_context
def try_out(ctx: click.Context, cases: Path | None) -> int:
    """Try the policy that the settings name.

    Without CASES it is told which role holds which permission. CASES is JSON such as
    {"matrix": {"tasks:read": ["viewer"]}, "cases": [{"roles": ["admin"], "scopes": ["tasks:*"], "permission":
    "audit:read", "allow": false}], "agents": [{"tool": {"name": "bash", "kind": "execute", "command": "make"},
    "decision": "ask"}]}; the exit code is 1 if the policy decides one of them otherwise.
    """
    if cases is None:
        _tell(ctx, asyncio.run(_holders()))
        return 0
    try:
        wanted = [*read_cases(cases)]
    except (OSError, ValueError, Invalid) as error:
        raise click.UsageError(f"{cases} has no cases: {error}") from None
    wrong = [(case, word) for case, word in asyncio.run(_decided(wanted)) if word != case.wanted]
    if wants_json(ctx):
        print_json([{**codec.dump(case), "decided": word} for case, word in wrong])
    else:
        for case, word in wrong:
            click.echo(f"{case.title}: {word}, not {case.wanted}")
        click.echo(f"{len(wanted):,} cases, {len(wrong):,} decided otherwise")
    return _DIFFERS if wrong else 0


async def _decided(cases: Sequence[Case]) -> list[tuple[Case, str]]:
    from codetether_apps.settings import read_settings
    from codetether_apps.wiring.policy import open_policy

    async with open_policy(read_settings()) as policy:
        return [(case, await case.decided(policy)) for case in cases]


async def _holders() -> Mapping[str, Sequence[str]]:
    """Of every permission, the roles that hold it."""
    from codetether_apps.settings import read_settings
    from codetether_apps.wiring.policy import open_policy

    async with open_policy(read_settings()) as policy:
        return {
            permission: [
                role
                for role in ROLES
                if await AccessCase(roles=(role,), permission=permission, allow=True).allowed(policy)
            ]
            for permission in sorted(PERMISSIONS)
        }


def _tell(ctx: click.Context, holders: Mapping[str, Sequence[str]]) -> None:
    if wants_json(ctx):
        print_json(holders)
        return
    print_table(
        ctx,
        [*holders.items()],
        {"permission": lambda row: row[0], "roles": lambda row: ", ".join(row[1]) or "nobody"},
        none="no permissions",
    )
