"""Tasks that print numbers until they are told to end, and keep account of it where no fault reaches."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from codetether_core.ids import TaskId

__all__ = ["Printing", "numbers"]

_SCRIPT: Final = """\
echo $$ >> {place}.pids
seq {history}
i={history}
while [ ! -e {place}.stop ]; do
  i=$((i+1)); echo $i; echo $i > {place}.$$; sleep 0.1
done
echo end
"""


@frozen
class Printing:
    """One such task. ``place`` is what the files of its account begin with."""

    id: TaskId
    place: Path

    @staticmethod
    def script(place: Path, history: int) -> str:
        """What prints; so many numbers at once to begin with."""
        return _SCRIPT.format(place=place, history=history)

    @property
    def runs(self) -> int:
        """How many agents have begun with it."""
        pids = self.place.with_suffix(".pids")
        return len(pids.read_text().split()) if pids.exists() else 0

    def printed(self, run: int = 0) -> int:
        """The last number that an agent printed, by its own account."""
        pid = self.place.with_suffix(".pids").read_text().split()[run]
        account = self.place.with_suffix(f".{pid}")
        return int(account.read_text() or 0) if account.exists() else 0

    def end(self) -> None:
        """Let its agents come to an end."""
        self.place.with_suffix(".stop").touch()


def numbers(text: str, *, gaps: bool = False) -> int:
    """How far a text counts; fails unless it does so from 1 upwards, without a gap unless there may be some."""
    words = text.split()
    counted = [*map(int, words[:-1] if words[-1:] == ["end"] else words)]
    last = counted[-1] if counted else 0
    assert counted == (sorted(set(counted)) if gaps else [*range(1, last + 1)])
    return last
