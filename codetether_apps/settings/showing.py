"""Settings for people: what each is now and why (``config show --origin``), and the table in the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from codetether_apps.settings.reading import table
from codetether_apps.settings.references import VAULT, Reference
from codetether_apps.settings.sections import Settings

__all__ = ["Shown", "described", "documented"]


class Shown(NamedTuple):
    """One setting as it is: its name, value in words (never a secret's, but where that is kept), and origin."""

    name: str
    value: str
    origin: str


def described(settings: Settings) -> Iterator[Shown]:
    """Every setting as it is."""
    for row in table():
        section, _, key = row.name.partition(".")
        value = getattr(getattr(settings, section), key)
        origin = settings.origin(row.name)
        unset = value is None or (value in ((), "") and origin == "default")
        show = str if isinstance(value, Reference) else row.kind.show
        yield Shown(row.name, row.shown if unset else show(value), origin)


def documented() -> str:
    """The table of settings, in Markdown."""
    lines = ["| setting | environment | flag | default | what it is |", "| --- | --- | --- | --- | --- |"]
    for row in table():
        names = ", ".join(f"`{name}`" for name in (row.variable, *row.aliases))
        for name, others in row.beside.items():
            names += f", `{name}` beside {' or '.join(f'`{other}`' for other in others)}"
        flag = f"`{row.flag}`" if row.flag else ""
        file = ""
        if row.secret:
            kept = "" if row.name.startswith(f"{VAULT}.") else f", or `{VAULT}:MOUNT/PATH#FIELD`"
            file = f" (also from the file that `…_FILE` names{kept})"
        default = f"`{row.shown}`" if " " not in row.shown and row.shown != "–" else row.shown
        lines.append(f"| `{row.name}` | {names} | {flag} | {default} | {row.help}{file} |")
    return "\n".join(lines)
