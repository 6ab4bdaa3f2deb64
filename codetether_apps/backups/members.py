"""The members of a file that may be anybody's: nothing is believed of them but their bytes, and those are counted."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from codetether_core.errors import CodeTetherError

__all__ = ["BLOBS", "HEADER", "MANIFEST", "ArchiveError", "members"]

HEADER: Final = "header.json"
MANIFEST: Final = "manifest.json"
BLOBS: Final = "blobs/"
_NAMES: Final = re.compile(
    rf"{re.escape(HEADER)}|{re.escape(MANIFEST)}|records/[0-9]{{6,9}}\.jsonl|{BLOBS}[0-9a-f]{{64}}"
)
_LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a member that is read as a whole; blobs are not."""


class ArchiveError(CodeTetherError):
    """The file is no backup, or is damaged, or cannot be read or written."""

    code = "backup_unusable"


class _Plain(tarfile.TarInfo):
    """A member that is a file with its bytes: no link, no device, no hole, and nothing that describes another member,
    all of which tar would make something of before we see it.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Plain:
        found = super().frombuf(buf, encoding, errors)
        name = found.name.encode("unicode_escape").decode()
        if found.type != tarfile.REGTYPE or found.size < 0 or not _NAMES.fullmatch(found.name):
            raise ArchiveError(f"the file is no backup: it has {name}", hint="name another file")
        if found.size > _LARGEST and not found.name.startswith(BLOBS):
            raise ArchiveError(f"the file is no backup: its {name} has {found.size} bytes", hint="name another file")
        return found


def members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Names and contents, each of which can be read until the next one is asked for; ``ArchiveError``."""
    seen: set[str] = set()
    with tarfile.open(path, mode="r:gz", tarinfo=_Plain) as tar:
        for info in tar:
            content = tar.extractfile(info)
            if content is None or info.name in seen:
                raise ArchiveError(f"{path} is no backup: it has {info.name} twice", hint="name another file")
            seen.add(info.name)
            yield info.name, content
