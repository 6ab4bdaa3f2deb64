"""Measure, print, keep; or compare two results that were kept."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import asdict
from rich.console import Console
from rich.table import Table

from tests.bench.figure import Figure
from tests.bench.figures import FIGURES, Measure
from tests.bench.storage import ENGINES
from tests.bench.stores import of_store

KEPT = Path(".bench")
_WIDTH = 150


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure this machine.")
    parser.add_argument("names", nargs="*", help=f"figures ({', '.join(FIGURES)}), or two result files to compare")
    parser.add_argument("--quick", action="store_true", help="fewer runs, for a first look")
    parser.add_argument("--compare", action="store_true", help="show two results side by side")
    parser.add_argument("--store", choices=ENGINES, help="measure a store's figures instead of the rest")
    arguments = parser.parse_args()
    if arguments.compare:
        _compare([Path(name) for name in arguments.names] or sorted(KEPT.glob("*.json"))[-2:])
    else:
        chosen = of_store(arguments.store) if arguments.store else FIGURES
        _measure(chosen, arguments.names or list(chosen), arguments.quick)


def _measure(chosen: Mapping[str, Measure], names: list[str], quick: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    figures: list[Figure] = []
    for name in names:
        with console.status(f"measuring {name}"):
            figures += chosen[name](quick)
    table = Table("figure", "value", "aim", "beside")
    for figure in figures:
        table.add_row(figure.name, figure.shown, figure.bar, figure.beside)
    for name in chosen:
        if name not in names:
            table.add_row(name, "not measured")
    console.print(table)
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=2), encoding="utf-8")
    console.print(f"kept as {path}")


def _compare(paths: list[Path]) -> None:
    if len(paths) != 2:
        raise SystemExit("two result files are needed; `make bench` keeps one in .bench/ each time")
    before, after = ({each["name"]: each for each in json.loads(path.read_text(encoding="utf-8"))} for path in paths)
    table = Table("figure", paths[0].stem, paths[1].stem, "ratio")
    for name in before | after:
        old, new = before.get(name), after.get(name)
        table.add_row(
            name,
            _number(old),
            _number(new),
            f"{new['value'] / old['value']:.2f}" if old and new and old["value"] and new["value"] is not None else "",
        )
    Console().print(table)


def _number(figure: Mapping[str, Any] | None) -> str:
    return "not measured" if figure is None or figure["value"] is None else f"{figure['value']:,.2f}"


if __name__ == "__main__":
    main()
