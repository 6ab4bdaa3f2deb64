"""Parts: what messages and artifacts are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import frozen

__all__ = ["Content", "Data", "Part", "Raw", "Text", "Url"]


@frozen
class Text:
    """Words."""

    text: str


@frozen
class Raw:
    """The bytes of a file."""

    raw: bytes


@frozen
class Url:
    """Where a file is."""

    url: str


@frozen
class Data:
    """Any JSON value, ``None`` too."""

    data: Any


Content: TypeAlias = Text | Raw | Url | Data


@frozen(kw_only=True)
class Part:
    """One piece of content, and what it is."""

    content: Content
    media_type: str | None = None
    filename: str | None = None
    metadata: Mapping[str, Any] | None = None
