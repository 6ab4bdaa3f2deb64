"""What a server says of a tool, and what came of using it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import Factory, frozen

__all__ = ["OfferedTool", "ToolAnswer"]


@frozen(kw_only=True)
class OfferedTool:
    """A tool as its server describes it. ``arguments`` and ``result`` are JSON schemas, ``hints`` its annotations.

    Nobody vouches for any of it.
    """

    name: str
    arguments: Mapping[str, Any]
    title: str | None = None
    description: str = ""
    result: Mapping[str, Any] | None = None
    hints: Mapping[str, Any] = Factory(dict[str, Any])


@frozen(kw_only=True)
class ToolAnswer:
    """What a tool answered: blocks of ``content``, the same as ``data`` if it has a schema, whether it ``failed``."""

    content: Sequence[Mapping[str, Any]]
    data: Mapping[str, Any] | None = None
    failed: bool = False
