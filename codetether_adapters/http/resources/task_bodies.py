"""What clients and workers send about tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, field, frozen

from codetether_adapters.http.resources.bounds import seconds, within
from codetether_adapters.http.resources.tool_bodies import declared
from codetether_core.access import ToolUse
from codetether_core.approvals import ApprovalKind, Option
from codetether_core.errors import Invalid
from codetether_core.ids import AgentName, CodebaseId, ContextId, WorkerId
from codetether_core.services import Question
from codetether_core.tasks import GLOBAL, OutputChunk, TaskSpec

__all__ = ["Ask", "Claim", "Outputs", "Release", "StatusReport", "TaskBody", "TaskWord", "TriggerBody", "model_of"]

_PRIORITY = 2**31 - 1
_LONGEST = 366 * 86_400.0
_TITLE = 80


@frozen(kw_only=True)
class TaskBody:
    """A task to do. ``model_ref`` is ``model`` with a colon; ``codebase_id`` counts where the path has none;
    ``context_id`` names the conversation that it belongs to, if it belongs to one.

    What says who may take it may stand in ``metadata``, as deployed clients have it.
    """

    prompt: str
    title: str | None = None
    agent_type: str = "build"
    priority: int = 0
    metadata: Mapping[str, Any] = Factory(dict)
    model: str | None = None
    model_ref: str | None = None
    target_agent_name: str | None = None
    target_worker_id: str | None = None
    required_capabilities: tuple[str, ...] | None = None
    max_attempts: int = 3
    run_timeout_seconds: float | None = None
    start_by: datetime | None = None
    context_id: str | None = None
    codebase_id: str | None = None
    workspace_id: str | None = None

    def spec(self, codebase: str | None = None) -> TaskSpec:
        """What is asked for, in the domain's terms; ``Invalid`` names what is out of bounds."""
        if not self.prompt:
            raise Invalid("prompt", "must not be empty")
        timeout = self.run_timeout_seconds
        agent = self.target_agent_name or _text(self.metadata, "target_agent_name")
        worker = self.target_worker_id or _text(self.metadata, "target_worker_id")
        return TaskSpec(
            codebase=CodebaseId(codebase or self.codebase_id or self.workspace_id or GLOBAL),
            title=self.title or self.prompt[:_TITLE],
            prompt=self.prompt,
            agent_type=self.agent_type or "build",
            model=model_of(self.model, self.model_ref),
            priority=within("priority", self.priority, -_PRIORITY, _PRIORITY),
            metadata=self.metadata,
            target_agent=AgentName(agent) if agent else None,
            target_worker=WorkerId(worker) if worker else None,
            required_capabilities=self._capabilities(),
            max_attempts=within("max_attempts", self.max_attempts, 1, 100),
            run_timeout=None if timeout is None else seconds("run_timeout_seconds", timeout, 1.0, _LONGEST),
            start_by=self.start_by,
            context=ContextId(self.context_id) if self.context_id else None,
        )

    def _capabilities(self) -> tuple[str, ...]:
        if self.required_capabilities is not None:
            return self.required_capabilities
        named = self.metadata.get("required_capabilities", [])
        if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
            raise Invalid("metadata.required_capabilities", "must be an array of strings")
        return tuple(named)


@frozen(kw_only=True)
class TriggerBody:
    """A prompt for a codebase's agent, as the deployed page sends it."""

    prompt: str
    agent: str = "build"
    model: str | None = None
    files: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = Factory(dict)

    def spec(self, codebase: str) -> TaskSpec:
        """As a task whose metadata has the model and the files besides."""
        extra: dict[str, Any] = {"model": self.model} if self.model else {}
        if self.files:
            extra |= {"files": list(self.files)}
        body = TaskBody(
            prompt=self.prompt, agent_type=self.agent, model=self.model, metadata={**self.metadata, **extra}
        )
        return body.spec(codebase)


@frozen(kw_only=True)
class Chunk:
    """A piece of output; ``timestamp`` is when the agent printed it (a naive one is taken as UTC)."""

    output: str
    stream: str = "stdout"
    timestamp: datetime | None = None
    event: Mapping[str, Any] | None = None

    def chunk(self) -> OutputChunk:
        """In the domain's terms."""
        return OutputChunk(text=self.output, stream=self.stream, at=self.timestamp, event=self.event)


@frozen(kw_only=True)
class Outputs:
    """Output: one piece in ``output``, or a batch in ``outputs``.

    ``first`` is the ordinal, from 0 within the grant, of the first piece: a batch sent again changes nothing.
    """

    worker_id: str | None = None
    lease_token: str | None = field(default=None, repr=False)
    output: str | None = None
    stream: str = "stdout"
    timestamp: datetime | None = None
    event: Mapping[str, Any] | None = None
    outputs: tuple[Chunk, ...] | None = None
    first: int | None = None

    def chunks(self) -> list[OutputChunk]:
        """All pieces; ``Invalid`` if there is neither form, or both."""
        if (self.output is None) == (self.outputs is None):
            raise Invalid("output", "is required, unless outputs is there instead")
        if self.outputs is not None:
            return [each.chunk() for each in self.outputs]
        return [OutputChunk(text=self.output or "", stream=self.stream, at=self.timestamp, event=self.event)]


@frozen(kw_only=True)
class StatusReport:
    """How a run stands. ``outputs`` are appended before an outcome counts; ``lease`` claims with a token."""

    status: str
    worker_id: str | None = None
    session_id: str | None = None
    result: str | None = None
    error: str | None = None
    reason: str | None = None
    retry: bool = False
    lease: bool = False
    lease_token: str | None = field(default=None, repr=False)
    outputs: tuple[Chunk, ...] = ()
    first: int | None = None


@frozen(kw_only=True)
class TaskWord:
    """A word about one task; heartbeats may have other members, which say nothing to us."""

    task_id: str
    worker_id: str | None = None
    lease_token: str | None = field(default=None, repr=False)
    session_id: str | None = None


@frozen(kw_only=True)
class Claim:
    """A claim; ``lease`` asks for a lease token, which every later word has to carry."""

    task_id: str
    worker_id: str | None = None
    lease: bool = False


@frozen(kw_only=True)
class Release:
    """A task given back, or with a ``status`` its outcome."""

    task_id: str
    worker_id: str | None = None
    lease_token: str | None = field(default=None, repr=False)
    status: str | None = None
    result: str | None = None
    error: str | None = None
    session_id: str | None = None


@frozen(kw_only=True)
class Ask:
    """A question of the holder's, with choices or (without ``options``) free text as the answer.

    One of kind ``permission`` may say for which use of a ``tool`` it is wanted: the policy is asked first.
    """

    prompt: str
    worker_id: str | None = None
    lease_token: str | None = field(default=None, repr=False)
    kind: ApprovalKind = ApprovalKind.QUESTION
    options: tuple[Option, ...] = ()
    held: bool = True
    timeout_seconds: float = 86_400.0
    details: Mapping[str, Any] = Factory(dict)
    tool: ToolUse | None = None

    def question(self) -> Question:
        """In the domain's terms."""
        if not self.prompt:
            raise Invalid("prompt", "must not be empty")
        if len({option.id for option in self.options}) != len(self.options):
            raise Invalid("options", "must have different ids")
        for option in self.options:
            if option.kind is not None and option.kind.allows != option.allows:
                raise Invalid("options", f"has {option.id}, whose kind and allows are at odds", hint="leave allows out")
        return Question(
            prompt=self.prompt,
            kind=self.kind,
            options=self.options,
            held=self.held,
            timeout=seconds("timeout_seconds", self.timeout_seconds, 1.0, _LONGEST),
            details=self.details,
            tool=declared(self.kind, self.tool),
        )


def model_of(model: str | None, model_ref: str | None) -> str | None:
    """``provider/model``, from either way to write it."""
    if model:
        return model
    return model_ref.replace(":", "/", 1) if model_ref else None


def _text(metadata: Mapping[str, Any], name: str) -> str | None:
    value = metadata.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(f"metadata.{name}", "must be a string")
    return value or None
