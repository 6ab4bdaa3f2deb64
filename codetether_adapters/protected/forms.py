"""What people and agents write, in values of each kind, and how the rest looks without it.

Everything that is hidden of a value is one text of JSON, encrypted at once; one member of the value, its *carrier*, has
what came of it. What stores and their indexes need stays where it is: ids, names, states, versions and times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from attrs import evolve, frozen

from codetether_adapters.protected.passage import Told
from codetether_core import codec
from codetether_core.access import ToolUse
from codetether_core.agents import Agent
from codetether_core.approvals import Approval, Option
from codetether_core.codebases import Codebase
from codetether_core.messages import Message
from codetether_core.sessions import Session
from codetether_core.tasks import Attempt, Task, TaskSpec
from codetether_core.tool_servers import ToolServer

__all__ = ["FORMS", "SPEC", "Form"]

V = TypeVar("V")


@frozen
class Form(Generic[V]):
    """``words`` are what is hidden, as plain data, ``None`` where there is nothing; ``carrier`` is the text in their
    place, ``hidden`` the value with such a text, ``shown`` the value with its words again.
    ``place`` says by its ids where the value belongs: its words are good for no other one.
    """

    place: Callable[[V], tuple[str, ...]]
    words: Callable[[V], Any]
    carrier: Callable[[V], object]
    hidden: Callable[[V, str], V]
    shown: Callable[[V, Any], V]


def _task_words(task: Task) -> Any:
    evidence = [attempt.evidence for attempt in task.attempts]
    if task.result is None and task.error is None and not any(evidence):
        return None
    return [task.result, task.error, evidence]


def _attempts(task: Task, evidence: Sequence[str | None]) -> tuple[Attempt, ...]:
    pairs = zip(task.attempts, evidence, strict=True)
    return tuple(attempt if attempt.evidence == said else evolve(attempt, evidence=said) for attempt, said in pairs)


def _task_hidden(task: Task, text: str) -> Task:
    return evolve(task, result=text, error=None, attempts=_attempts(task, [None] * len(task.attempts)))


def _task_shown(task: Task, words: Any) -> Task:
    result, error, evidence = words
    return evolve(task, result=result, error=error, attempts=_attempts(task, evidence))


def _told_words(told: Told) -> Any:
    message = told.message
    return [[*message.parts], [*message.tool_calls], message.tokens]


def _told_hidden(told: Told, text: str) -> Told:
    return evolve(told, message=evolve(told.message, parts=(text,), tool_calls=(), tokens=None))


def _told_shown(told: Told, words: Any) -> Told:
    parts, calls, tokens = words
    return evolve(told, message=evolve(told.message, parts=tuple(parts), tool_calls=tuple(calls), tokens=tokens))


def _approval_words(approval: Approval) -> Any:
    options, tool = codec.dump([*approval.options]), codec.dump(approval.tool)
    return [approval.prompt, options, approval.details, approval.choice, approval.text, approval.reply, tool]


def _approval_hidden(approval: Approval, text: str) -> Approval:
    return evolve(approval, prompt=text, options=(), details={}, choice=None, text=None, reply=None, tool=None)


def _approval_shown(approval: Approval, words: Any) -> Approval:
    prompt, options, details, choice, text, reply, tool = words
    told = evolve(approval, prompt=prompt, details=details, choice=choice, text=text, reply=reply)
    use = None if tool is None else codec.load(ToolUse, tool)
    return evolve(told, options=tuple(codec.load(list[Option], options)), tool=use)


SPEC: Final = Form[tuple[Task, TaskSpec]](
    place=lambda pair: ("spec", pair[0].id),
    words=lambda pair: [pair[1].title, pair[1].prompt, pair[1].metadata],
    carrier=lambda pair: pair[1].prompt,
    hidden=lambda pair, text: (pair[0], evolve(pair[1], title="", prompt=text, metadata={})),
    shown=lambda pair, words: (pair[0], evolve(pair[1], title=words[0], prompt=words[1], metadata=words[2])),
)
"""Of what was asked for: it never changes, unlike the rest of its task."""

_TASK: Final = Form[Task](
    place=lambda task: ("task", task.id),
    words=_task_words,
    carrier=lambda task: task.result,
    hidden=_task_hidden,
    shown=_task_shown,
)

_APPROVAL: Final = Form[Approval](
    place=lambda approval: ("approval", approval.id),
    words=_approval_words,
    carrier=lambda approval: approval.prompt,
    hidden=_approval_hidden,
    shown=_approval_shown,
)

_SESSION: Final = Form[Session](
    place=lambda session: ("session", session.codebase, session.id),
    words=lambda session: [session.title, session.directory, session.details],
    carrier=lambda session: session.title,
    hidden=lambda session, text: evolve(session, title=text, directory="", details={}),
    shown=lambda session, words: evolve(session, title=words[0], directory=words[1], details=words[2]),
)

_TOLD: Final = Form[Told](
    place=lambda told: ("session message", told.codebase, told.message.session, told.message.id),
    words=_told_words,
    carrier=lambda told: told.message.parts[0] if len(told.message.parts) == 1 else None,
    hidden=_told_hidden,
    shown=_told_shown,
)

_MESSAGE: Final = Form[Message](
    place=lambda message: ("message", message.id),
    words=lambda message: [message.body, message.metadata],
    carrier=lambda message: message.body,
    hidden=lambda message, text: evolve(message, body=text, metadata={}),
    shown=lambda message, words: evolve(message, body=words[0], metadata=words[1]),
)

_CODEBASE: Final = Form[Codebase](
    place=lambda codebase: ("codebase", codebase.id),
    words=lambda codebase: [codebase.description, codebase.agent_config],
    carrier=lambda codebase: codebase.description,
    hidden=lambda codebase, text: evolve(codebase, description=text, agent_config={}),
    shown=lambda codebase, words: evolve(codebase, description=words[0], agent_config=words[1]),
)

_AGENT: Final = Form[Agent](
    place=lambda agent: ("agent", agent.name),
    words=lambda agent: [agent.description, agent.capabilities],
    carrier=lambda agent: agent.description,
    hidden=lambda agent, text: evolve(agent, description=text, capabilities={}),
    shown=lambda agent, words: evolve(agent, description=words[0], capabilities=words[1]),
)

_TOOL_SERVER: Final = Form[ToolServer](
    place=lambda server: ("tool server", server.name),
    words=lambda server: [server.description],
    carrier=lambda server: server.description,
    hidden=lambda server, text: evolve(server, description=text),
    shown=lambda server, words: evolve(server, description=words[0]),
)

FORMS: Final[Mapping[type[Any], Form[Any]]] = {
    Task: _TASK,
    Approval: _APPROVAL,
    Session: _SESSION,
    Told: _TOLD,
    Message: _MESSAGE,
    Codebase: _CODEBASE,
    Agent: _AGENT,
    ToolServer: _TOOL_SERVER,
}
"""By the type of the value."""
