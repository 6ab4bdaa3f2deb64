"""Reading values of which nobody knows the shape: what is of another one counts as not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["object_in", "objects_in", "text_in"]


def object_in(value: object) -> Mapping[str, Any]:
    """The object that it is, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects_in(value: object) -> list[Mapping[str, Any]]:
    """The objects of the list that it is."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def text_in(value: object, *members: str) -> str | None:
    """The first member of the object that is a text with something in it."""
    found = (object_in(value).get(member) for member in members)
    return next((text for text in found if isinstance(text, str) and text.strip()), None)
