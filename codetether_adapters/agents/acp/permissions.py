"""What an agent asks leave for, as a question to a policy and to people; and their answer in its words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

from codetether_adapters.agents.acp.shapes import object_in, objects_in, text_in
from codetether_core.access import ToolKind, ToolUse
from codetether_core.approvals import ApprovalKind, Option, OptionKind
from codetether_core.ports import Answer, Inquiry

__all__ = ["CANCELLED", "inquiry_of", "outcome_of"]

CANCELLED: Final[Mapping[str, Any]] = {"outcome": {"outcome": "cancelled"}}
"""Nobody answers."""

_OPTION_KINDS: Final = {str(kind): kind for kind in OptionKind}
_TOOL_KINDS: Final = {str(kind): kind for kind in ToolKind}
_LONGEST_NAME: Final = 200
_LONGEST_WORDS: Final = 16_384
_MOST_PATHS: Final = 100
_MOST_PARTS: Final = 1000
_PATH_MEMBERS: Final = ("path", "file_path", "filePath", "filename", "filepath", "abs_path")


def inquiry_of(params: object, known: Mapping[str, Any]) -> Inquiry | None:
    """The question of ``session/request_permission``; ``None`` if it leaves nothing to choose.

    ``known`` is what was told of the use of the tool before: the question need not say it again. A use with more to it
    than a policy looks at is for people alone.
    """
    asked = object_in(params)
    call = {**known, **{name: value for name, value in object_in(asked.get("toolCall")).items() if value}}
    options = tuple({option.id: option for option in _options(asked.get("options"))}.values())
    if not options:
        return None
    return Inquiry(prompt=_prompt(call), kind=ApprovalKind.PERMISSION, options=options, tool=_tool(call))


def outcome_of(answer: Answer) -> Mapping[str, Any]:
    """The answer as the agent is told it."""
    if answer.choice is None:
        return CANCELLED
    return {"outcome": {"outcome": "selected", "optionId": answer.choice}}


def _options(told: object) -> Iterator[Option]:
    """The options whose meaning is known: nobody can tell whether another one is a yes."""
    for each in objects_in(told):
        id, kind = text_in(each, "optionId"), text_in(each, "kind")
        if id is not None and kind in _OPTION_KINDS:
            yield Option(id=id, label=text_in(each, "name") or id, kind=_OPTION_KINDS[kind])


def _prompt(call: Mapping[str, Any]) -> str:
    words, command = text_in(call, "title") or _name(call), _command(call)
    if command is not None and command not in words:
        words = f"{words}: {command}"
    return words[:_LONGEST_WORDS]


def _tool(call: Mapping[str, Any]) -> ToolUse | None:
    command, paths = _command(call), tuple(dict.fromkeys(_paths(call)))
    if (
        len(command or "") > _LONGEST_WORDS
        or len(paths) > _MOST_PATHS
        or sum(map(len, paths)) > _LONGEST_WORDS
        or sum(path.count("/") for path in paths) > _MOST_PARTS
    ):
        return None
    kind = _TOOL_KINDS.get(text_in(call, "kind") or "", ToolKind.OTHER)
    return ToolUse(name=_name(call), kind=kind, command=command, paths=paths)


def _name(call: Mapping[str, Any]) -> str:
    return (text_in(call, "name", "kind", "title") or "tool")[:_LONGEST_NAME]


def _command(call: Mapping[str, Any]) -> str | None:
    input = object_in(call.get("rawInput"))
    given = input.get("command") or input.get("cmd")
    if isinstance(given, str) and given:
        return given
    if isinstance(given, list) and given and all(isinstance(word, str) for word in given):
        return shlex.join(given)
    return None


def _paths(call: Mapping[str, Any]) -> Iterator[str]:
    """Every path that the use tells of, wherever agents put them."""
    for told in (call.get("locations"), call.get("content")):
        yield from (path for each in objects_in(told) if (path := text_in(each, "path")))
    for member in _PATH_MEMBERS:
        if (path := text_in(call.get("rawInput"), member)) is not None:
            yield path
