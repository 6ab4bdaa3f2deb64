"""The codebases that tasks have registered here, kept on this machine for the worker's next life."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import structlog
from attrs import frozen

from codetether_apps.settings import GivenCodebase

__all__ = ["KeptCodebases"]

_log = structlog.get_logger(__name__)


@frozen
class KeptCodebases:
    """A file with their names and directories. What else was said of them is the server's to remember."""

    path: Path

    def read(self) -> list[GivenCodebase]:
        """Those whose directories are still there."""
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            kept = [GivenCodebase(str(each["name"]), Path(each["path"])) for each in told]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("codebases_not_read", path=str(self.path), error=str(error))
            return []
        for each in kept:
            if not each.path.is_dir():
                _log.warning("codebase_gone", name=each.name, path=str(each.path))
        return [each for each in kept if each.path.is_dir()]

    def write(self, codebases: Sequence[GivenCodebase]) -> None:
        """Keep these, in place of any others. A disk that refuses is told of: they are served until the restart."""
        told = [{"name": each.name, "path": str(each.path)} for each in codebases]
        unfinished = self.path.with_suffix(".tmp")
        try:
            unfinished.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
            unfinished.replace(self.path)
        except OSError as error:
            _log.warning("codebases_not_kept", path=str(self.path), error=str(error))
