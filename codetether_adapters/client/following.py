"""Following a task to its end: every event once, whatever becomes of the connections."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

from codetether_adapters.client.errors import ConnectionFailed, ServerFailed
from codetether_adapters.client.frames import Frame, Reader, streaming
from codetether_adapters.client.transport import Transport
from codetether_core import codec
from codetether_core.errors import CodeTetherError, CursorUnknown, Unavailable
from codetether_core.tasks import TERMINAL, TaskState

__all__ = ["TaskEvent", "ToldOfCuts", "follow"]

ToldOfCuts: TypeAlias = Callable[[CodeTetherError | None], None]
"""Called with what went wrong when the connection is lost, and with nothing when it is back."""

_ENDINGS: Final = ("complete", "error")


@frozen
class TaskEvent:
    """Something that happened to a task.

    ``name`` is ``status``, ``output``, ``tool_use``, ``file_change``, ``complete``, ``error`` (it failed) or
    ``resync``: the server lost its place, and what follows may leave a gap. ``data`` is all that was told,
    ``cursor`` the place in the stream after it, ``raw`` the JSON that ``data`` was read from (empty if from none).
    """

    name: str
    data: Mapping[str, Any]
    cursor: str = ""
    raw: str = field(default="", repr=False)

    @property
    def text(self) -> str:
        """The output that it brings, if any."""
        text = self.data.get("output")
        return text if isinstance(text, str) else ""

    @property
    def status(self) -> TaskState | None:
        """The state that it brings the task into, if any."""
        try:
            return TaskState(self.data["status"])
        except (KeyError, ValueError):
            return None

    @property
    def at(self) -> datetime | None:
        """When it happened."""
        try:
            return codec.moment(self.data["timestamp"])
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def ends(self) -> bool:
        """Whether it is the last: completed, failed or cancelled."""
        return self.name in _ENDINGS and self.status in TERMINAL


async def follow(
    transport: Transport, path: str, since: str = "", *, told: ToldOfCuts | None = None
) -> AsyncGenerator[TaskEvent]:
    """The events of the stream at ``path`` after ``since``, up to the one that ends the task.

    A cut is followed by another connection from where the last one ended; ``ConnectionFailed`` only when the very
    first one, or many in a row, brought nothing. Refusals (a token revoked, a task gone) are raised.
    """
    line = _Line(told or (lambda problem: None))
    reader, seen = Reader(since, heard=line.is_back), _Seen()
    patience = transport.patience
    silent = dead = 0  # connections in a row that brought no event, or not even a sign of life
    while True:
        problem, chunks = None, reader.chunks
        silent += 1
        try:
            async for frame in reader.frames(transport, streaming(path, reader.last)):
                silent = 0
                if seen.first_time(frame):
                    event = TaskEvent(frame.name, frame.data, frame.id, frame.raw)
                    yield event
                    if event.ends:
                        return
        except CursorUnknown as error:
            reader.last = ""
            yield TaskEvent("resync", {"reason": error.message, **error.details})
        except (ConnectionFailed, ServerFailed, Unavailable) as error:
            problem = error
            line.is_cut(error)
        dead = 0 if reader.chunks > chunks else dead + 1
        if problem and dead >= (patience.reconnections if reader.chunks else patience.attempts):
            raise problem
        if silent:
            asked_for = min(max(_asked_for(problem), reader.retry), patience.total)
            await transport.sleep(max(asked_for, patience.pause(silent)))


def _asked_for(problem: CodeTetherError | None) -> float:
    return float(problem.details.get("retry_after", 0)) if problem else 0.0


@define
class _Line:
    """Whether there is a connection, and who is told when that changes."""

    _told: ToldOfCuts
    _cut: bool = False

    def is_cut(self, problem: CodeTetherError) -> None:
        if not self._cut:
            self._cut = True
            self._told(problem)

    def is_back(self) -> None:
        if self._cut:
            self._cut = False
            self._told(None)


@define
class _Seen:
    """What was shown already, by the numbers of a task's events, which rise without gaps.

    A store that was restored may count twice; what it counts anew is younger than anything it told before.
    """

    _number: int = -1
    _latest: str = ""

    def first_time(self, frame: Frame) -> bool:
        number, at = frame.data.get("sequence"), frame.data.get("timestamp")
        if not isinstance(number, int) or not isinstance(at, str):
            return True
        if number <= self._number and at <= self._latest:
            return False
        self._number, self._latest = number, max(at, self._latest)
        return True
