"""Lines of an agent's standard output as messages of JSON-RPC, without I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from codetether_core.tasks.agent_json import read_object

__all__ = ["is_notification", "line_of", "message_of"]

_INTERNAL = -32603


def message_of(line: bytes) -> dict[str, Any] | None:
    """The message that the line is; ``None`` for noise, which agents and what they start print there too.

    What is returned can be taken at its word: a method is text, an id a number or text, an error has a code and words.
    """
    read = read_object(line.decode("utf-8", "replace")) if line.lstrip().startswith(b"{") else None
    if read is None or read.get("jsonrpc") != "2.0":
        return None
    message = dict(read)
    if isinstance(message.get("id"), list | dict) or not isinstance(message.get("method", ""), str):
        return None
    if "method" not in message and "id" not in message:
        return None
    if "method" not in message and "error" in message:
        message["error"] = _error(message["error"])
    return message


def is_notification(message: Mapping[str, Any]) -> bool:
    """Whether nobody waits for an answer to it."""
    return "method" in message and "id" not in message


def line_of(message: Mapping[str, Any]) -> bytes:
    """The message as a line: no newline is in it but the last."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _error(told: object) -> Mapping[str, Any]:
    if not isinstance(told, Mapping):
        return {"code": _INTERNAL, "message": json.dumps(told)}
    code, words = told.get("code"), told.get("message")
    return {
        "code": code if isinstance(code, int) else _INTERNAL,
        "message": words if isinstance(words, str) else json.dumps(told),
        "data": told.get("data"),
    }
