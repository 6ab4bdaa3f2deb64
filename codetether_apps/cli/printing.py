"""Printing data: JSON for programs, tables on a terminal, tab-separated lines anywhere else."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from codetether_apps.cli.harmless import harmless
from codetether_apps.cli.wishes import Wishes
from codetether_core import codec

__all__ = [
    "age",
    "for_people",
    "how_long",
    "print_event",
    "print_fields",
    "print_json",
    "print_table",
    "say",
    "wants_json",
]

if TYPE_CHECKING:
    from codetether_adapters.client import TaskEvent

T = TypeVar("T")

_NARROWEST: Final = 10
"""A column gets at least so much of a narrow terminal, if it needs it."""

_NOT_PLAIN: Final = re.compile("[^ -~]")


def wants_json(ctx: click.Context) -> bool:
    """Whether ``--json`` was given."""
    return ctx.ensure_object(Wishes).json


def for_people(ctx: click.Context) -> bool:
    """Whether somebody reads on a terminal what is printed."""
    return sys.stdout.isatty() and not wants_json(ctx)


def print_json(value: object) -> None:
    """One document, or one line of a stream; on a terminal all but ASCII is escaped, lest it be obeyed."""
    print(json.dumps(codec.dump(value), ensure_ascii=sys.stdout.isatty()), flush=True)


def print_event(event: TaskEvent) -> None:
    """A line of a stream, with the JSON of its data as it came: agents nest as deep as they like."""
    data = event.raw.replace("\n", " ") or json.dumps(codec.dump(event.data), ensure_ascii=False)
    if sys.stdout.isatty():
        data = _NOT_PLAIN.sub(lambda found: json.dumps(found[0])[1:-1], data)
    print(f'{{"event": {json.dumps(event.name)}, "cursor": {json.dumps(event.cursor)}, "data": {data}}}', flush=True)


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
    return how_long(max(datetime.now(UTC) - moment, timedelta()))


def how_long(duration: timedelta) -> str:
    """How long that is, in one unit."""
    seconds = duration.total_seconds()
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
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(no_color=bool(os.environ.get("NO_COLOR")))
    between = 2 * (len(columns) - 1)
    natural = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    widths = _fitting(natural, console.width - between)
    console.width = max(console.width, sum(widths) + between)  # rather a line too long than an id cut short
    table: Any = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name, width in zip(columns, widths, strict=True):
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=width)
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console.print(table)


def _fitting(natural: Sequence[int], room: int) -> list[int]:
    """Widths that fit into the room if they can: the last column gives way first, the first, an id, never."""
    widths = list(natural)
    for index in range(len(widths) - 1, 0, -1):
        excess = max(sum(widths) - room, 0)
        widths[index] = max(widths[index] - excess, min(widths[index], _NARROWEST))
    return widths


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
