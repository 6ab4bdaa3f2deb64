"""Updates of a session as our output and events, without I/O.

What the agent says is text on ``stdout`` as it was sent, what it thinks text on ``thought``. The rest are events whose
``type`` says what they tell; those that tell of the agent more than of its work are on the stream ``agent``. What is
not understood is kept as it came, as ``raw``. Words that come in pieces are never within an event: they are text, each
kind on a stream of its own, for a secret that was cut is found in a text alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from codetether_adapters.agents.acp.fitting import event
from codetether_adapters.agents.acp.shapes import object_in
from codetether_adapters.agents.acp.tool_calls import ToolCalls
from codetether_adapters.agents.chunks import Tail, pieces
from codetether_core.tasks import OutputChunk

__all__ = ["RESULT_BYTES", "Updates"]

RESULT_BYTES: Final = 64 * 1024
"""The most that a result keeps of what the agent said: its last bytes."""

_STATES: Final = frozenset({"available_commands_update", "current_mode_update", "config_option_update"})
_ABOUT_IT: Final[Mapping[str, str]] = {
    "user_message_chunk": "user_message",
    "session_info_update": "session_info",
    "compaction_update": "compaction",
    "compaction_summary_chunk": "compaction",
    "usage_update": "usage",
    **dict.fromkeys(_STATES, "agent_state"),
}
_ABOUT_WORK: Final = frozenset({"plan", "notice"})


class Updates:
    """The reader of one session's updates.

    ``said`` tells whether the agent did anything since ``listen``, ``counted`` whether it told what that has used.
    """

    def __init__(self) -> None:
        self.tools = ToolCalls()
        self.said = self.counted = False
        self._words = Tail(RESULT_BYTES)
        self._working = False

    def listen(self) -> None:
        """From here on it is about the next prompt."""
        self.said = self.counted = self._working = False
        self._words = Tail(RESULT_BYTES)

    @property
    def result(self) -> str:
        """What the agent has said since it last used a tool; if nothing, what it said before."""
        return self._words.text().rstrip("\n")

    def feed(self, update: object) -> list[OutputChunk]:
        """The output and events of an update, of whatever shape."""
        if not isinstance(update, Mapping):
            return [_raw(update)]
        kind, content = update.get("sessionUpdate"), object_in(update.get("content"))
        words = content.get("text") if content.get("type") == "text" else None
        text = words if isinstance(words, str) else None
        match kind:
            case "agent_message_chunk":
                self.said = True
                return [event("message", _members(update))] if text is None else self._message(text)
            case "agent_thought_chunk":
                self.said = True
                return _beside("thought", _members(update), text)
            case "tool_call" | "tool_call_update" if isinstance(update.get("toolCallId"), str):
                self.said = self._working = True
                return self.tools.feed({name: value for name, value in update.items() if name != "sessionUpdate"})
            case str() if kind in _ABOUT_WORK:
                return [event(kind, _members(update))]
            case str() if kind in _ABOUT_IT:
                self.counted = self.counted or kind == "usage_update"
                return _beside(_ABOUT_IT[kind], _members(update), text)
            case _:
                return [_raw(update)] if text is None else _beside("raw", {"update": _wordless(update)}, text)

    def _message(self, text: str) -> list[OutputChunk]:
        if self._working:
            self._working, self._words = False, Tail(RESULT_BYTES)
        spoken = []
        for piece in pieces(text):
            self._words.add(piece)
            # a piece that is JSON would be taken for an event of the agent's
            parts = ("{", piece[1:]) if piece.startswith("{") else (piece,)
            spoken += [OutputChunk(text=part) for part in parts if part]
        return spoken


def _beside(type: str, members: Mapping[str, Any], text: str | None) -> list[OutputChunk]:
    """What is not said to anybody: an event, and its words as text if it has any."""
    if text is None:
        return [event(type, members, stream="agent")]
    told = event(type, _wordless(members), stream=type)
    return [evolve(told, text=piece) for piece in pieces(text)]


def _wordless(update: Mapping[str, Any]) -> dict[str, Any]:
    content = {name: value for name, value in object_in(update.get("content")).items() if name != "text"}
    return {**update, **({"content": content} if content else {})}


def _members(update: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in update.items() if name not in ("sessionUpdate", "type")}


def _raw(update: object) -> OutputChunk:
    return event("raw", {"update": update}, stream="agent")
