"""Workers by their names, for people: nobody can tell ids apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from codetether_apps.cli.printing import for_people
from codetether_core.errors import CodeTetherError

if TYPE_CHECKING:
    from codetether_adapters.client import Client

__all__ = ["worker_names"]


def worker_names(ctx: click.Context, client: Client) -> Mapping[str | None, str]:
    """The workers' names by their ids; none for programs, which want the ids, and where they may not be seen."""
    if not for_people(ctx):
        return {}
    try:
        return {each.worker_id: each.name for each in client.workers.list() if each.name}
    except CodeTetherError:
        return {}
