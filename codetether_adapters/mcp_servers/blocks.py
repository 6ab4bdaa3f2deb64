"""The blocks of what a tool answers: of each only what the protocol has, so that all who are handed it take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codetether_adapters.mcp_servers.failures import unfit
from codetether_adapters.mcp_servers.members import Kinds, fitting
from codetether_core.errors import Invalid

__all__ = ["block_of"]

_DATA: Final[Kinds] = {"data": str, "mimeType": str}
_NEEDED: Final[Mapping[str, Kinds]] = {
    "audio": _DATA,
    "image": _DATA,
    "resource": {"resource": dict},
    "resource_link": {"uri": str, "name": str},
    "text": {"text": str},
}
_MORE: Final[Mapping[str, Kinds]] = {
    "resource_link": {"title": str, "description": str, "mimeType": str, "size": int},
}
_ROLES: Final = frozenset({"assistant", "user"})


def block_of(told: Any) -> Mapping[str, Any]:
    """One of the five kinds that there are. What it may do without is left out where it is not as it has to be."""
    kind = told.get("type") if isinstance(told, dict) else None
    if not isinstance(kind, str) or kind not in _NEEDED:
        raise _no_result()
    block = {"type": kind, **_needed(told, _NEEDED[kind]), **fitting(told, {"_meta": dict, **_MORE.get(kind, {})})}
    if kind == "resource":
        block["resource"] = _held(block["resource"])
    if annotations := _annotations(told.get("annotations")):
        block["annotations"] = annotations
    return block


def _held(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a resource holds: text, or bytes."""
    held = "text" if isinstance(told.get("text"), str) else "blob"
    return {**_needed(told, {"uri": str, held: str}), **fitting(told, {"mimeType": str, "_meta": dict})}


def _needed(told: Mapping[str, Any], kinds: Kinds) -> dict[str, Any]:
    found = fitting(told, kinds)
    if len(found) < len(kinds):
        raise _no_result()
    return found


def _annotations(told: Any) -> Mapping[str, Any]:
    """For whom it is, and how much it matters."""
    if not isinstance(told, dict):
        return {}
    found = fitting(told, {"audience": list, "lastModified": str})
    if not all(isinstance(role, str) and role in _ROLES for role in found.get("audience", ())):
        del found["audience"]
    priority = told.get("priority")
    if isinstance(priority, int | float) and not isinstance(priority, bool) and 0 <= priority <= 1:
        found["priority"] = priority
    return found


def _no_result() -> Invalid:
    return unfit("answers what is no result of a tool")
