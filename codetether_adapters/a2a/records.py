"""A task's log, record by record, as what happens to it: statuses, words of its agent, output, and files.

Told in order, any log makes a legal stream: what has not changed is not told again, output begins with a new artifact
and goes on with more of it, and nothing follows the end. Every update says which of the task's records it stands for:
``first`` to ``sequence``, without gaps from one to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from attrs import define, evolve, field, frozen

from codetether_adapters.a2a.output import OUTPUT, QUIET, printed
from codetether_adapters.a2a.telling import asking_state, data_message, ended_state, question, words
from codetether_adapters.a2a_wire.values import (
    TERMINAL,
    Artifact,
    ArtifactUpdate,
    Message,
    Part,
    StatusUpdate,
    TaskState,
    TaskStatus,
    Text,
    Update,
)
from codetether_core import codec
from codetether_core.approvals import Approval
from codetether_core.events import Record
from codetether_core.tasks import OUTPUT_KINDS
from codetether_core.tasks import TaskState as State

__all__ = ["SEQUENCE", "Left", "Teller", "sequence"]

SEQUENCE: Final = "urn:codetether:a2a:sequence:1"
"""The extension by which updates say which records of their task they stand for."""

_ENDINGS: Final = frozenset({"task.completed", "task.failed", "task.cancelled"})


@frozen
class Left:
    """A file was left with the task: who has its bytes goes on from here."""

    name: str
    metadata: Mapping[str, Any]


@define
class Teller:
    """Tells the records of one task to one reader, given what that has been told already.

    ``state`` is the last that it knows, ``printing`` the number of the attempt whose output it has, ``first`` that of
    the first record which nothing stands for yet; after what is ``final`` it reads no more. ``hitl``: it knows that
    extension.
    """

    task_id: str
    context_id: str
    hitl: bool = False
    state: TaskState | None = None
    printing: int = 0
    first: int = field(default=0, init=False)
    final: bool = field(default=False, init=False)

    @property
    def ended(self) -> bool:
        """Whether it has been told the end."""
        return self.state in TERMINAL

    def told(self, attempt: int) -> None:
        """It was told a piece of output of that attempt, without us."""
        self.first, self.printing = 0, attempt

    def tell(self, record: Record, *, statuses: bool = True) -> list[Update | Left]:
        """What the record comes to; without ``statuses`` only what it leaves behind."""
        self.first = self.first or record.number
        metadata = sequence(self.first, record.number)
        told: list[Update | Left] = []
        for each in self._told(record, orjson.loads(record.body), statuses):
            told.append(evolve(each, metadata=metadata))
        if told:
            self.first = 0
        return told

    def _told(self, record: Record, data: Mapping[str, Any], statuses: bool) -> Iterator[Update | Left]:
        if self.ended or record.kind == "task.created":
            return
        if record.kind in OUTPUT_KINDS:
            yield from self._output(record, data, statuses)
            return
        for each in data.get("artifacts", ()):
            yield Left(each["name"], {})
        if not statuses:
            return
        if record.kind == "approval.asked":
            approval = codec.load(Approval, {**data, "grant": ""})
            asked = question(approval, self.context_id, hitl=self.hitl)
            yield self._status(asking_state([approval]), record, asked)
        elif record.kind in _ENDINGS:
            last = data.get("result") or data.get("error")
            said = words(f"{self.task_id}.end", self.task_id, self.context_id, last) if last else None
            yield self._status(ended_state(data["status"], data.get("reason")), record, said)
        elif record.kind == "task.status":
            state = _state(data)
            if state is not None and state is not self.state:
                yield self._status(state, record)

    def _output(self, record: Record, data: Mapping[str, Any], statuses: bool) -> Iterator[Update]:
        text = printed(data) if record.kind == "task.output" else ""
        if text:
            artifact = Artifact(artifact_id=OUTPUT, name=OUTPUT, parts=(Part(content=Text(text)),))
            append, self.printing = self.printing == data["attempt"], data["attempt"]
            yield ArtifactUpdate(task_id=self.task_id, context_id=self.context_id, artifact=artifact, append=append)
        elif statuses and _says_something(data):
            id = f"{self.task_id}.{record.number}"
            said = data_message(id, self.task_id, self.context_id, data["event"])
            yield self._status(TaskState.WORKING, record, said)

    def _status(self, state: TaskState, record: Record, message: Message | None = None) -> StatusUpdate:
        self.state = state
        status = TaskStatus(state=state, message=message, timestamp=record.at)
        return StatusUpdate(task_id=self.task_id, context_id=self.context_id, status=status)


def sequence(first: int, last: int) -> Mapping[str, Any]:
    """The metadata of what stands for these records."""
    return {SEQUENCE: {"first": first, "sequence": last}}


def _state(data: Mapping[str, Any]) -> TaskState | None:
    """The state that a change led to. A question says so itself, in the record behind."""
    match data["status"]:
        case State.PENDING:
            return TaskState.WORKING if data["attempt"] else TaskState.SUBMITTED
        case State.RUNNING:
            return TaskState.WORKING
        case State.INPUT_REQUIRED if data.get("previous") == State.PENDING:  # back from a lapse
            return TaskState.INPUT_REQUIRED
    return None


def _says_something(data: Mapping[str, Any]) -> bool:
    event = data.get("event")
    return data.get("stream") == "stdout" and isinstance(event, Mapping) and event.get("type") not in QUIET | {"text"}
