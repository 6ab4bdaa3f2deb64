"""Printing data: JSON for programs, tables on a terminal, tab-separated lines anywhere else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from codetether_apps.cli.harmless import harmless
from codetether_apps.cli.wishes import Wishes
from codetether_core import codec

__all__ = ["age", "print_fields", "print_json", "print_table", "say", "wants_json"]

T = TypeVar("T")


def wants_json(ctx: click.Context) -> bool:
    """Whether ``--json`` was given."""
    return ctx.ensure_object(Wishes).json


def print_json(value: object) -> None:
    """One document, or one line of a stream; on a terminal all but ASCII is escaped, lest it be obeyed."""
    print(json.dumps(codec.dump(value), ensure_ascii=sys.stdout.isatty()), flush=True)


def print_table(
    ctx: click.Context, values: Sequence[T], columns: Mapping[str, Callable[[T], object]], *, none: str
) -> None:
    """``values`` as JSON, or column by column; ``none`` is said to a person if there are no values."""
    if wants_json(ctx):
        print_json(list(values))
        return
    rows = [[_cell(column(value)) for column in columns.values()] for value in values]
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
    elif not rows:
        say(none)
    else:
        _print_rich(list(columns), rows)


def print_fields(ctx: click.Context, value: object, fields: Mapping[str, object], *, below: str = "") -> None:
    """One value: as JSON, or field by field with a long text ``below``."""
    if wants_json(ctx):
        print_json(value)
        return
    told = {name: _cell(each) for name, each in fields.items() if each not in (None, "", ())}
    width = max(map(len, told), default=0) if sys.stdout.isatty() else 0
    for name, text in told.items():
        print(f"{name:<{width}}\t{text}" if not width else f"{name:<{width}}  {text}")
    if below:
        print(f"\n{harmless(below)}")


def say(text: str) -> None:
    """A word to a person."""
    print(harmless(text), file=sys.stderr, flush=True)


def age(moment: datetime | None) -> str:
    """How long ago that was, in one unit."""
    if moment is None:
        return ""
    seconds = max((datetime.now(UTC) - moment).total_seconds(), 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return codec.timestamp(value)
    if isinstance(value, str):
        return " ".join(harmless(value).split())
    return ", ".join(map(_cell, value)) if isinstance(value, tuple | list | frozenset) else str(value)


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table: Any = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=True, overflow="fold" if name == columns[0] else "ellipsis")
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console(no_color=bool(os.environ.get("NO_COLOR"))).print(table)


_STYLES = {
    "running": "cyan",
    "input_required": "bold yellow",
    "completed": "green",
    "failed": "red",
    "cancelled": "dim",
    "active": "green",
    "absent": "red",
    "left": "dim",
    "open": "bold yellow",
}
