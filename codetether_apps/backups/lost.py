"""Blobs that go while a backup is taken: they may, with whatever named them, and otherwise the copy is not whole."""

from __future__ import annotations

from attrs import define, field

from codetether_core.errors import NotFound
from codetether_core.events import TASK_ERASED
from codetether_core.services import Entry

__all__ = ["Lost"]

_Owner = tuple[str, ...]


@define(eq=False)
class Lost:
    """Told of every entry, it knows whose blobs come now, and what was erased after it was copied."""

    _owner: _Owner = field(default=(), init=False)
    _lost: dict[_Owner, NotFound] = field(factory=dict, init=False)

    def see(self, entry: Entry) -> None:
        """The next entry of the copy."""
        match entry.kind, entry.data:
            case "session", {"session": session}:
                self._owner = session["codebase"], session["id"]
            case "task", {"task": task}:
                self._owner = (task["id"],)
            case "erased_session", {"codebase": codebase, "id": id}:
                self._lost.pop((codebase, id), None)
            case "event", {"kind": kind, "subject": subject} if kind == TASK_ERASED:
                self._lost.pop((subject,), None)
            case _:
                pass

    def add(self, error: NotFound) -> None:
        """A blob of what came last is not there any more."""
        self._lost[self._owner] = error

    def check(self) -> None:
        """At the end: ``NotFound`` if one is missing of what was not erased."""
        for error in self._lost.values():
            raise error
