"""Settings whose secrets are kept elsewhere: which those are, and the same settings once they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.reading import table
from codetether_apps.settings.references import Reference
from codetether_apps.settings.sections import Settings

__all__ = ["references", "resolved"]


def references(settings: Settings, *sections: str) -> Iterator[tuple[str, Reference]]:
    """The settings of these sections that are still to be read, by name."""
    for row in table():
        section, _, key = row.name.partition(".")
        if section in sections and isinstance(value := getattr(getattr(settings, section), key), Reference):
            yield row.name, value


def resolved(settings: Settings, secrets: Mapping[str, str]) -> Settings:
    """The settings with these secrets, by the names of the settings; ``SettingsError`` if one cannot be right."""
    for name, text in secrets.items():
        section, _, key = name.partition(".")
        changed = getattr(settings, section)
        reference: Reference = getattr(changed, key)
        origin = f"{reference}, from {settings.origin(name)}"
        try:
            value = reference.kind.read(text)
        except ValueError as error:
            raise SettingsError(f"{name} ({origin}) must be {error}", setting=name) from None
        members = {section: attrs.evolve(changed, **{key: value}), "origins": {**settings.origins, name: origin}}
        settings = attrs.evolve(settings, **members)
    return settings
