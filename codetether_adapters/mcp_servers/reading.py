"""What a server says of its tools, and what one answers, as values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeGuard

import orjson

from codetether_adapters.mcp_servers.blocks import block_of
from codetether_adapters.mcp_servers.failures import unfit
from codetether_adapters.mcp_servers.members import Kinds, fitting
from codetether_core.tool_servers import OfferedTool, ToolAnswer

__all__ = ["answer_of", "tools_in"]

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_MOST_OF_SCHEMA: Final = 64 * 1024
_MOST_OF_WORDS: Final = 16 * 1024
_MIRRORED: Final = b'"x-mcp-header"'
_HINTS: Final[Kinds] = {
    "title": str,
    "readOnlyHint": bool,
    "destructiveHint": bool,
    "idempotentHint": bool,
    "openWorldHint": bool,
}


def tools_in(result: Mapping[str, Any]) -> Iterator[OfferedTool]:
    """Those on a page of the list that can be used: others are left out."""
    listed = result.get("tools")
    if not isinstance(listed, list):
        raise unfit("lists what are no tools")
    for told in listed:
        if not isinstance(told, dict):
            raise unfit("lists what are no tools")
        name, arguments, wanted = told.get("name"), told.get("inputSchema"), told.get("outputSchema")
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not _is_usable(arguments):
            continue
        hints = told.get("annotations")
        yield OfferedTool(
            name=name,
            arguments=arguments,
            title=_words(told.get("title")) or None,
            description=_words(told.get("description")),
            result=wanted if _is_usable(wanted) else None,
            hints=fitting(hints, _HINTS) if isinstance(hints, dict) and _is_short(hints) else {},
        )


def answer_of(result: Mapping[str, Any]) -> ToolAnswer:
    """What a tool answered; data that is no object is told in words alone."""
    content, data = result.get("content", []), result.get("structuredContent")
    if not isinstance(content, list):
        raise unfit("answers what is no result of a tool")
    content = [block_of(block) for block in content]
    if data is not None and not isinstance(data, dict) and not content:
        content = [{"type": "text", "text": orjson.dumps(data).decode()}]
    return ToolAnswer(
        content=content, data=data if isinstance(data, dict) else None, failed=result.get("isError") is True
    )


def _is_usable(schema: Any) -> TypeGuard[Mapping[str, Any]]:
    """A schema of an object, of bearable size, none of whose parts has to be repeated in headers.

    Of what is in it only that is looked at by which clients of the earlier era know that it is one.
    """
    if not isinstance(schema, dict) or schema.get("type") != "object" or not _is_short(schema):
        return False
    properties, required = schema.get("properties", {}), schema.get("required", [])
    return (
        isinstance(schema.get("$schema", ""), str)
        and isinstance(properties, dict)
        and all(isinstance(each, dict | bool) for each in properties.values())
        and isinstance(required, list)
        and all(isinstance(name, str) for name in required)
    )


def _is_short(told: Mapping[str, Any]) -> bool:
    written = orjson.dumps(told)
    return len(written) <= _MOST_OF_SCHEMA and _MIRRORED not in written


def _words(told: Any) -> str:
    return told[:_MOST_OF_WORDS] if isinstance(told, str) else ""
