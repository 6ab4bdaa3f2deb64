"""The files that a run leaves: a directory of its own while it runs, sent when it has ended."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from mimetypes import guess_type
from pathlib import Path

import structlog
from attrs import frozen

from codetether_adapters.client import AsyncClient
from codetether_apps.working.folders import folder
from codetether_core.errors import CodeTetherError, Invalid, NotConfigured, TooLarge, TooManyArtifacts
from codetether_core.ids import TaskId

__all__ = ["LeavingRefused", "Leavings"]

_log = structlog.get_logger(__name__)

_REFUSALS = (Invalid, NotConfigured, TooLarge, TooManyArtifacts)
"""What is wrong with the file, rather than with the lease."""


class LeavingRefused(CodeTetherError):
    """The server does not take a file; the message says which, and why."""

    code = "artifact_refused"


@frozen(kw_only=True)
class Leavings:
    """A worker's directory of such directories."""

    root: Path
    worker_id: str
    client: AsyncClient

    def begin(self, lease: str) -> Path:
        """An empty directory for the run under this lease, for this user only."""
        place = self.root / folder(lease)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700, parents=True)
        return place

    def forget(self, place: str | None) -> None:
        """The run is over for good. What cannot be removed now is removed when the worker starts again."""
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)

    @staticmethod
    def found(place: Path) -> str | None:
        """The directory, if the run has left anything in it."""
        return str(place) if any(place.iterdir()) else None

    def clean(self, wanted: Collection[str | None]) -> None:
        """Forget all but these: an earlier life of this worker left them."""
        if self.root.is_dir():
            for place in self.root.iterdir():
                if str(place) not in wanted:
                    self.forget(str(place))

    async def send(self, place: str | None, task: TaskId, lease: str) -> None:
        """Leave every file with the task; ``LeavingRefused`` for one that will never be taken."""
        for name, path in [] if place is None else _files(Path(place)):
            media_type, encoding = guess_type(name)
            kind = None if encoding else media_type
            try:
                await self.client.worker.attach(self.worker_id, task, lease, name, path, media_type=kind)
            except _REFUSALS as error:
                raise LeavingRefused(
                    f"The server does not keep the file {name!r} that the run left: {error.message}", hint=error.hint
                ) from error
            except OSError as error:
                raise LeavingRefused(f"The file {name!r} that the run left cannot be read: {error.strerror}") from error


def _files(place: Path) -> Iterator[tuple[str, Path]]:
    """Names and paths of the regular files in order; links are not followed, they may lead anywhere."""
    for directory, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            path = Path(directory, name)
            if path.is_symlink() or not path.is_file():
                _log.warning("artifact_skipped", path=str(path), reason="is no regular file")
                continue
            yield path.relative_to(place).as_posix(), path
