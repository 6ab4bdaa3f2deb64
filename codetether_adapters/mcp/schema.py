"""JSON Schema (2020-12) of arguments and results, each a document of its own."""

from __future__ import annotations

from functools import cache
from typing import Any

from codetether_adapters.json_schema import Schemas

__all__ = ["schema_of"]


@cache
def schema_of(cls: type, *, closed: bool = False) -> dict[str, Any]:
    """The schema of an attrs class; ``closed``: it has no other members than these."""
    schemas = Schemas(at="#/$defs/")
    members = schemas.members(cls)
    schema: dict[str, Any] = {"type": "object", "properties": {name: member for name, member, _ in members}}
    if required := [name for name, _, needed in members if needed]:
        schema["required"] = required
    if closed:
        schema["additionalProperties"] = False
    if schemas.components:
        schema["$defs"] = dict(sorted(schemas.components.items()))
    return schema
