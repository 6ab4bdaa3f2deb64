"""What an agent wants to be told, as questions to people, and their answers in its words.

Of a form each field that is required is one question, or every field where none is. A page to visit is a question, too:
whether that was done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, Final, TypeAlias

from attrs import frozen

from codetether_adapters.agents.acp.shapes import object_in, objects_in, text_in
from codetether_core.approvals import ApprovalKind, Option
from codetether_core.ports import Answer, Inquiry

__all__ = ["CANCEL", "DECLINE", "Blank", "accepted", "blanks_of"]

CANCEL: Final[Mapping[str, Any]] = {"action": "cancel"}
"""Nobody answers."""

DECLINE: Final[Mapping[str, Any]] = {"action": "decline"}
"""Somebody will not say, or nobody can be asked."""

_LONGEST: Final = 16_384
_NO: Final = Option(id="decline", label="Decline", allows=False)
_Value: TypeAlias = "str | int | float | bool"


@frozen(kw_only=True)
class Blank:
    """One thing to be told: the member ``name`` of the answer (``None``: it has none), by a value for each choice.

    Without choices the value is what somebody writes, a number for the types ``number`` and ``integer``.
    """

    name: str | None
    inquiry: Inquiry
    choices: Mapping[str, _Value]
    type: str = "string"

    def value(self, answer: Answer) -> _Value | None:
        """What the answer says; ``None`` if it declines, or is no number where one was wanted."""
        if self.inquiry.options:
            return self.choices.get(answer.choice or "")
        if answer.text is None or self.type == "string":
            return answer.text
        try:
            number = int(answer.text) if self.type == "integer" else float(answer.text)
        except ValueError:
            return None
        return number if isfinite(number) else None


def blanks_of(params: object) -> Sequence[Blank]:
    """The questions of ``elicitation/create``; none where a part of it cannot be asked."""
    message = text_in(params, "message") or "The agent asks"
    mode = object_in(params).get("mode")
    if mode == "url" and (url := text_in(params, "url")):
        done = Option(id="done", label="Done")
        prompt = f"{message}\n{url}"[:_LONGEST]
        return [Blank(name=None, inquiry=_inquiry(prompt, (done, _NO), ApprovalKind.AUTH), choices={"done": True})]
    if mode != "form":
        return []
    schema = object_in(object_in(params).get("requestedSchema"))
    fields, required = object_in(schema.get("properties")), schema.get("required")
    names = [name for name in fields if isinstance(required, list) and name in required] or list(fields)
    blanks = [_blank(message, name, object_in(fields[name])) for name in names]
    return [blank for blank in blanks if blank is not None] if None not in blanks else []


def accepted(values: Mapping[str | None, _Value]) -> Mapping[str, Any]:
    """The answer with these members."""
    content = {name: value for name, value in values.items() if name is not None}
    return {"action": "accept", **({"content": content} if content else {})}


def _blank(message: str, name: str, field: Mapping[str, Any]) -> Blank | None:
    title, type = text_in(field, "title") or name, field.get("type")
    words = "\n".join(each for each in (message, title, text_in(field, "description")) if each)[:_LONGEST]
    choices: dict[str, tuple[str, _Value]] = {}
    match type:
        case "boolean":
            choices = {"yes": ("Yes", True), "no": ("No", False)}
        case "string":
            choices = {value: (label, value) for value, label in _offered(field)}
        case "number" | "integer":
            pass
        case _:
            return None
    options = tuple(Option(id=id, label=label) for id, (label, _) in choices.items())
    if options and _NO.id not in choices:
        options = (*options, _NO)
    values = {id: value for id, (_, value) in choices.items()}
    return Blank(name=name, inquiry=_inquiry(words, options), choices=values, type=str(type))


def _offered(field: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    plain = field.get("enum")
    for value in plain if isinstance(plain, list) else []:
        if isinstance(value, str) and value.strip():
            yield value, value
    for each in objects_in(field.get("oneOf")):
        if (value := text_in(each, "const")) is not None:
            yield value, text_in(each, "title") or value


def _inquiry(prompt: str, options: tuple[Option, ...], kind: ApprovalKind = ApprovalKind.ELICITATION) -> Inquiry:
    return Inquiry(prompt=prompt, kind=kind, options=options)
