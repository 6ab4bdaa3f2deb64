"""The human-in-the-loop extension: questions that a client's program can show as what they are, and its answers.

https://kagent.dev/extensions/hitl/v1: a request is in the metadata of the status's message, a response in that of the
message which follows it. What a response says of a tool's arguments is nothing to us: the question stands as it was
asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from codetether_adapters.a2a_wire.values import Message
from codetether_core.approvals import Approval, ApprovalKind
from codetether_core.errors import Invalid

__all__ = ["HITL", "Decision", "decisions_of", "request_of"]

HITL: Final = "https://kagent.dev/extensions/hitl/v1"

_ARGUMENTS: Final = ("args", "arguments", "input", "raw_input", "rawInput")
_WHERE: Final = f"message.metadata.{HITL}"


@frozen(kw_only=True)
class Decision:
    """An answer to the question of that id: a yes or no, or words."""

    id: str
    approved: bool | None = None
    words: str = ""


def request_of(approval: Approval) -> Mapping[str, Any] | None:
    """The question in the extension's words; a sign-in has none, since it happens elsewhere."""
    if approval.kind is ApprovalKind.AUTH:
        return None
    if approval.kind is ApprovalKind.PERMISSION:
        return {"type": "tool_approval_request", "hint": approval.prompt, "tools": [_tool(approval)]}
    choices = [option.label for option in approval.options]
    question = {"question": approval.prompt, "choices": choices, "multiple": False}
    return {"type": "ask_user_request", "id": approval.id, "questions": [question]}


def decisions_of(message: Message) -> Sequence[Decision]:
    """What the message decides by the extension: nothing, if it does not use it. ``Invalid`` where it does so badly."""
    told = (message.metadata or {}).get(HITL)
    if told is None:
        return ()
    if not isinstance(told, Mapping):
        raise Invalid(_WHERE, "must be an object")
    match told.get("type"):
        case "tool_approval_response":
            found = [*_approvals(told.get("approvals"))]
        case "ask_user_response":
            found = [Decision(id=_text(told, "id", _WHERE), words=_words(told.get("answers")))]
        case _:
            raise Invalid(f"{_WHERE}.type", "must be one of: tool_approval_response, ask_user_response")
    if not found or len({each.id for each in found}) != len(found):
        raise Invalid(_WHERE, "must decide something, and nothing twice")
    return found


def _tool(approval: Approval) -> dict[str, Any]:
    details = approval.details
    tool = details.get("tool")
    told: Mapping[str, Any] = tool if isinstance(tool, Mapping) else details
    name = tool if isinstance(tool, str) else told.get("name")
    called = details.get("call_id", details.get("tool_call_id"))
    args = next((told[each] for each in _ARGUMENTS if isinstance(told.get(each), Mapping)), told)
    return {
        "id": approval.id,
        "call_id": called if isinstance(called, str) and called else approval.id,
        "name": name if isinstance(name, str) and name else approval.kind.value,
        "args": args,
    }


def _approvals(told: object) -> Iterator[Decision]:
    if not isinstance(told, list):
        raise Invalid(f"{_WHERE}.approvals", "must be an array")
    for at, each in enumerate(told):
        where = f"{_WHERE}.approvals.{at}"
        if not isinstance(each, Mapping) or not isinstance(each.get("approved"), bool):
            raise Invalid(where, "must be an object whose approved is true or false")
        reason = each.get("rejection_reason")
        yield Decision(id=_text(each, "id", where), approved=each["approved"], words=str(reason) if reason else "")


def _words(answers: object) -> str:
    """The one question's answer."""
    match answers:
        case [{"answer": [str(), *_] as words}] if all(isinstance(word, str) for word in words):
            return ", ".join(words)
    raise Invalid(f"{_WHERE}.answers", "must be an array with one object whose answer is an array of strings")


def _text(told: Mapping[str, Any], name: str, where: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid(f"{where}.{name}", "must be a string")
    return value
