"""Parts in release 0.3: text, a file, or an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codetether_adapters.a2a_wire.base64 import read_bytes, write_bytes
from codetether_adapters.a2a_wire.dialect import members
from codetether_adapters.a2a_wire.values import Content, Data, Part, Raw, Text, Url

__all__ = ["read_part", "write_part"]


def read_part(value: Any, _: Any) -> Part:
    """A part; one that does not say its ``kind``, or says it as its ``type``, is known by what it has."""
    told = members(value)
    metadata = told.get("metadata")
    if not isinstance(metadata, Mapping | None):
        raise TypeError("must be an object whose metadata is an object")
    kind = told.get("kind", told.get("type")) or next((name for name in ("text", "file", "data") if name in told), "")
    match kind, told.get(kind if isinstance(kind, str) else ""):
        case "text", str(text):
            return Part(content=Text(text), metadata=metadata)
        case "data", Mapping() as data:
            return Part(content=Data(data), metadata=metadata)
        case "file", Mapping() as file:
            name, media_type = _word(file, "name"), _word(file, "mimeType")
            return Part(content=_file(file), filename=name, media_type=media_type, metadata=metadata)
    raise TypeError("must be an object with a text, a file or data, and the kind of it")


def write_part(part: Part) -> dict[str, Any]:
    """The part; data that is no object becomes the ``value`` of one."""
    written = _written(part)
    if part.metadata is not None:
        written["metadata"] = part.metadata
    return written


def _written(part: Part) -> dict[str, Any]:
    match part.content:
        case Text(text):
            return {"kind": "text", "text": text}
        case Data(data):
            return {"kind": "data", "data": data if isinstance(data, Mapping) else {"value": data}}
        case Raw(raw):
            return {"kind": "file", "file": {"bytes": write_bytes(raw), **_described(part)}}
        case Url(url):
            return {"kind": "file", "file": {"uri": url, **_described(part)}}


def _file(file: Mapping[str, Any]) -> Content:
    raw, uri = file.get("bytes"), file.get("uri")
    if raw is not None and uri is None:
        return Raw(read_bytes(raw))
    if raw is None and isinstance(uri, str):
        return Url(uri)
    raise TypeError("must be an object whose file has either bytes or a uri")


def _word(file: Mapping[str, Any], name: str) -> str | None:
    value = file.get(name)
    if not isinstance(value, str | None):
        raise TypeError("must be an object whose file has strings as name and mimeType")
    return value or None


def _described(part: Part) -> dict[str, str]:
    names = {"name": part.filename, "mimeType": part.media_type}
    return {name: value for name, value in names.items() if value is not None}
