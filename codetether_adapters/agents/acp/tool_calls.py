"""An agent's uses of its tools, from updates that tell only what is new, or all of it again.

The first update of a use is told as ``tool_use``, its end as ``tool_result`` and, for each file that it has changed, as
``file_change``. Between them is told what has changed, as ``tool_progress``; what its text has grown by is printed on
the stream ``tool``. That is one text, in which a secret is found however it was cut, so while several uses are open
theirs waits: the result has all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import evolve

from codetether_adapters.agents.acp.fitting import event
from codetether_adapters.agents.acp.shapes import object_in, objects_in
from codetether_adapters.agents.chunks import pieces
from codetether_core.tasks import OutputChunk

__all__ = ["ToolCalls"]

_OVER: Final = ("completed", "failed")
_MOST_OPEN: Final = 1000


class ToolCalls:
    """The uses that have begun and not ended, as they stand; of so many that an agent must have lost some, the last."""

    def __init__(self) -> None:
        self._open: dict[str, dict[str, Any]] = {}
        self._printed: dict[str, str] = {}

    def known(self, id: str | None) -> Mapping[str, Any]:
        """What has been told of a use so far."""
        return self._open.get(id or "", {})

    def feed(self, update: Mapping[str, Any]) -> list[OutputChunk]:
        """What an update of the use ``toolCallId``, a text, tells that is new."""
        id: str = update["toolCallId"]
        before = self._open.pop(id, None)
        now = {**(before or {}), **{name: value for name, value in update.items() if value is not None}}
        over = now.get("status") in _OVER
        if not over:
            self._open[id] = now
            if len(self._open) > _MOST_OPEN:
                self._forget(next(iter(self._open)))
        told = [] if before is not None else [_begun(now)]
        if over:
            self._forget(id)
            return [*told, *_ended(now)]
        if before is not None and (changes := _changes(before, now)):
            told.append(event("tool_progress", {"id": id, **changes}))
        return [*told, *self._growth(id, now)]

    def _growth(self, id: str, call: Mapping[str, Any]) -> list[OutputChunk]:
        """What the text has grown by since it was printed last; all of it, after ``instead``, if it is another."""
        printed, text = self._printed.get(id, ""), _text(call)
        if text == printed or len(self._open) > 1:
            return []
        self._printed[id] = text
        told = event("tool_progress", {"id": id}, stream="tool")
        if text.startswith(printed):
            return [evolve(told, text=piece) for piece in pieces(text[len(printed) :])]
        afresh = event("tool_progress", {"id": id, "instead": True}, stream="tool")
        return [afresh, *(evolve(told, text=piece) for piece in pieces(text) if piece)]

    def _forget(self, id: str) -> None:
        self._open.pop(id, None)
        self._printed.pop(id, None)


def _begun(call: Mapping[str, Any]) -> OutputChunk:
    return event("tool_use", {**_head(call), "locations": call.get("locations"), "input": call.get("rawInput")})


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Mapping[str, Any]:
    changes = {name: now[name] for name in ("title", "status") if name in now and now[name] != before.get(name)}
    if now.get("rawInput") != before.get("rawInput"):
        changes["input"] = now.get("rawInput")
    return changes


def _ended(call: Mapping[str, Any]) -> Iterator[OutputChunk]:
    blocks = objects_in(call.get("content"))
    content = [each for each in blocks if each.get("type") != "diff"] or None
    yield event("tool_result", {**_head(call), "content": content, "output": call.get("rawOutput")})
    if call.get("status") != "completed":
        return
    for diff in blocks:
        if diff.get("type") == "diff":
            change = {"path": diff.get("path"), "old": diff.get("oldText"), "new": diff.get("newText")}
            yield event("file_change", {"id": call["toolCallId"], **change})


def _head(call: Mapping[str, Any]) -> dict[str, Any]:
    names = ("name", "title", "kind", "status")
    return {"id": call["toolCallId"], **{name: call.get(name) for name in names}}


def _text(call: Mapping[str, Any]) -> str:
    """The text that the use has given so far."""
    return "".join(text for each in objects_in(call.get("content")) if (text := _words(each.get("content"))))


def _words(block: object) -> str:
    text = object_in(block).get("text")
    return text if isinstance(text, str) else ""
