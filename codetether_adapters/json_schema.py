"""JSON Schema (2020-12) of attrs classes, as the codec reads and writes them."""

from __future__ import annotations

import inspect
import types
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import define, field

from codetether_core import codec

__all__ = ["Schema", "Schemas"]

Schema = dict[str, Any]

_PLAIN: Final[Mapping[Any, Schema]] = {
    Any: {},
    object: {},
    None: {"type": "null"},
    types.NoneType: {"type": "null"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    dict: {"type": "object"},
    list: {"type": "array", "items": {}},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "integer", "description": "Microseconds"},
}


@define(eq=False)
class Schemas:
    """Makes schemas, and collects those of classes and enumerations as named ``components`` to refer to.

    ``at`` is where the document that they stand in will have these.
    """

    components: dict[str, Schema] = field(factory=dict)
    at: str = "#/components/schemas/"
    _names: dict[type, str] = field(factory=dict, init=False)

    def of(self, kind: Any) -> Schema:
        """The schema of a type; ``TypeError`` if JSON has nothing for it."""
        kind = getattr(kind, "__supertype__", kind)
        if isinstance(kind, Mapping):
            return dict(kind)
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        if isinstance(kind, type) and (attrs.has(kind) or issubclass(kind, Enum)):
            return {"$ref": f"{self.at}{self._component(kind)}"}
        return self._generic(kind, get_origin(kind), get_args(kind))

    def members(self, cls: type) -> list[tuple[str, Schema, bool]]:
        """Name, schema and whether it is required, of each member of an attrs class.

        A member's metadata may have its ``description``, the ``name`` that it has in JSON where that is none in Python,
        and further words of its ``schema``.
        """
        hints = get_type_hints(cls)
        return [
            (
                attribute.metadata.get("name", attribute.name),
                self._member(attribute, hints[attribute.name]),
                attribute.default is attrs.NOTHING,
            )
            for attribute in attrs.fields(cls)
        ]

    def _generic(self, kind: Any, origin: Any, arguments: tuple[Any, ...]) -> Schema:
        if origin in (Union, types.UnionType):
            return self._union(arguments)
        if origin is Literal:
            return {"enum": list(arguments)}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            values = self.of(arguments[1])
            return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
        if isinstance(origin, type) and issubclass(origin, Collection):
            return {"type": "array", "items": self.of(arguments[0])}
        raise TypeError(f"no JSON schema for {kind!r}")

    def _union(self, arguments: tuple[Any, ...]) -> Schema:
        schemas = [self.of(argument) for argument in arguments]
        if {} in schemas:
            return {}
        if len(schemas) == 2 and {"type": "null"} in schemas:
            schema = next(schema for schema in schemas if schema != {"type": "null"})
            if isinstance(schema.get("type"), str):
                return {**schema, "type": [schema["type"], "null"]}
        return {"anyOf": schemas}

    def _member(self, attribute: attrs.Attribute[Any], hint: Any) -> Schema:
        schema = self.of(hint)
        if "description" in attribute.metadata:
            schema["description"] = attribute.metadata["description"]
        schema |= attribute.metadata.get("schema", {})
        default = attribute.default
        if not (default is attrs.NOTHING or default is None or isinstance(default, attrs.Factory)):  # type: ignore[arg-type]
            schema["default"] = codec.dump(default)
        return schema

    def _component(self, kind: type) -> str:
        """The name under which a class or enumeration is kept; its module goes before it where two share one."""
        if kind in self._names:
            return self._names[kind]
        name = kind.__name__.lstrip("_")
        if name in self.components:
            name = f"{kind.__module__.rpartition('.')[2].lstrip('_')}.{name}"
        if name in self.components:
            raise TypeError(f"two classes want to be the component {name}")
        self._names[kind] = name
        self.components[name] = {}
        self.components[name] = self._enumeration(kind) if issubclass(kind, Enum) else self._object(kind)
        return name

    def _enumeration(self, kind: type[Enum]) -> Schema:
        values = [member.value for member in kind]
        return {**_described(kind), **self.of(type(values[0])), "enum": values}

    def _object(self, kind: type) -> Schema:
        members = self.members(kind)
        schema: Schema = {**_described(kind), "type": "object"}
        if required := [name for name, _, needed in members if needed]:
            schema["required"] = required
        schema["properties"] = {name: member for name, member, _ in members}
        return schema


def _described(kind: type) -> Schema:
    """The class's own docstring, as a description."""
    text = kind.__dict__.get("__doc__")
    return {"description": inspect.cleandoc(text)} if text else {}
