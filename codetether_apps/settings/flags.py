"""Flags for an entrypoint, made from the table."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from codetether_apps.settings.kinds import FLAG
from codetether_apps.settings.reading import read_settings, table
from codetether_apps.settings.sections import Settings

__all__ = ["settings_from_flags"]


def settings_from_flags(
    program: str, description: str, sections: Iterable[str], argv: Sequence[str] | None = None
) -> Settings:
    """The settings, with an entrypoint's flags: those of these sections, and ``--config``.

    A wrong flag exits with 2, as usual; ``SettingsError`` for a wrong value.
    """
    parser = argparse.ArgumentParser(prog=program, description=description, allow_abbrev=False)
    parser.add_argument("--config", type=Path, metavar="FILE", help="the one file to read settings from")
    chosen = set(sections)
    for row in table():
        if row.flag is None or row.name.partition(".")[0] not in chosen:
            continue
        words = f"{row.help} (default: {row.shown}; {row.variable})".replace("%", "%%")
        if row.kind is FLAG:
            parser.add_argument(row.flag, dest=row.name, action=argparse.BooleanOptionalAction, help=words)
        elif row.kind.many:
            parser.add_argument(row.flag, dest=row.name, action="append", metavar="VALUE", help=words)
        else:
            parser.add_argument(row.flag, dest=row.name, metavar="VALUE", help=words)
    given = vars(parser.parse_args(argv))
    config = given.pop("config")
    return read_settings({name: value for name, value in given.items() if value is not None}, config=config)
