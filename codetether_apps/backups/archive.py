"""The file: a compressed tar of JSON lines, whose last member says what there has to be before it.

``header.json`` comes first, then ``records/000001.jsonl`` and so on with every blob before the record that names it, as
``blobs/`` and its address, then ``manifest.json`` with the SHA-256 of every member and the number of entries of each
kind. A file without it, or with other digests, is refused as a whole.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, Never

from attrs import define, field, frozen

from codetether_adapters.filesystem.durable import sync_directory
from codetether_apps.backups.members import BLOBS, HEADER, MANIFEST, ArchiveError, members
from codetether_core import codec
from codetether_core.artifacts import CHUNK, BlobId
from codetether_core.errors import Invalid
from codetether_core.services import Entry, check_entry

__all__ = ["ArchiveError", "ArchiveWriter", "Blob", "Header", "Manifest", "new_archive", "read", "verified"]

_FORMAT: Final = 1
_MEMBER_BYTES: Final = 4 * 1024 * 1024


@frozen(kw_only=True)
class Header:
    """``format`` is the shape of the file, ``made_at`` when the copy began, ``release`` which program made it."""

    made_at: datetime
    release: str
    format: int = _FORMAT


@frozen(kw_only=True)
class Manifest:
    """How many entries of each kind there are, and the SHA-256 (hexadecimal) of each member.

    ``keys`` are the names of the installation's keys without which what is encrypted cannot be read.
    """

    entries: Mapping[str, Any]
    members: Mapping[str, Any]
    keys: tuple[str, ...] = ()


@frozen
class Blob:
    """A blob, whose bytes can be read until the next one is asked for."""

    id: BlobId
    file: IO[bytes]


@define(eq=False)
class ArchiveWriter:
    """Takes entries, and holds no more than one member of them in memory."""

    _tar: tarfile.TarFile
    _made_at: float
    _lines: list[bytes] = field(factory=list, init=False)
    _size: int = field(default=0, init=False)
    _counts: Counter[str] = field(factory=Counter, init=False)
    _digests: dict[str, str] = field(factory=dict, init=False)
    _keys: set[str] = field(factory=set, init=False)

    def add(self, entry: Entry) -> None:
        """Write one entry."""
        line = json.dumps({"kind": entry.kind, "data": entry.data}, ensure_ascii=False, separators=(",", ":")).encode()
        self._lines.append(line)
        self._size += len(line)
        self._counts[entry.kind] += 1
        if entry.kind == "data_key":
            self._keys.add(entry.data["wrapped_by"])
        if self._size >= _MEMBER_BYTES:
            self._flush()

    def finish(self) -> Manifest:
        """Write what is left, and what there has to be."""
        if self._lines:
            self._flush()
        manifest = Manifest(entries=dict(self._counts), members=dict(self._digests), keys=tuple(sorted(self._keys)))
        self.member(MANIFEST, json.dumps(codec.dump(manifest), indent=2).encode())
        return manifest

    def member(self, name: str, content: bytes) -> None:
        """Write one member."""
        self._write(name, io.BytesIO(content), len(content), hashlib.sha256(content).hexdigest())

    def blob(self, id: BlobId, file: IO[bytes], size: int) -> None:
        """Write a blob, ``size`` bytes from where the file stands; its address is their digest."""
        self._write(BLOBS + id, file, size, id)

    def _write(self, name: str, file: IO[bytes], size: int, digest: str) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(self._made_at)
        self._tar.addfile(info, file)
        self._digests[name] = digest

    def _flush(self) -> None:
        name = f"records/{sum(member.startswith('records/') for member in self._digests) + 1:06}.jsonl"
        self.member(name, b"\n".join(self._lines) + b"\n")
        self._lines, self._size = [], 0


@contextmanager
def new_archive(path: Path, header: Header) -> Iterator[ArchiveWriter]:
    """A file that appears under its name, whole and on the disk, when the context is left without an error."""
    if path.exists():
        raise ArchiveError(f"{path} is there already", hint="name another file")
    unfinished: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            unfinished = Path(file.name)  # of this user alone, and of nobody else's making
            with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.GNU_FORMAT) as tar:
                writer = ArchiveWriter(tar, header.made_at.timestamp())
                writer.member(HEADER, json.dumps(codec.dump(header)).encode())
                yield writer
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        sync_directory(path.parent)
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be written: {error.strerror}", hint="choose a place with room, where you may write"
        ) from error
    finally:
        if unfinished is not None:
            with suppress(OSError):
                unfinished.unlink()


def verified(path: Path) -> tuple[Header, Manifest]:
    """Read the whole file and hold it against its manifest; ``ArchiveError`` says what is wrong."""
    digests: dict[str, str] = {}
    counts: Counter[str] = Counter()
    header: Header | None = None
    manifest: Manifest | None = None
    with _refusals(path):
        for name, file in members(path):
            if manifest is not None:
                raise ArchiveError(f"{path} goes on after its end", hint="take another copy")
            if name.startswith(BLOBS):
                digests[name] = _digest(file)
                if name != BLOBS + digests[name]:
                    raise ArchiveError(f"{path} is damaged: the bytes of {name} are others", hint="take another copy")
                continue
            content = file.read()
            if name == MANIFEST:
                manifest = _value(Manifest, content, path)
                continue
            digests[name] = hashlib.sha256(content).hexdigest()
            if name == HEADER:
                header = _known(_value(Header, content, path), path)
            else:
                counts.update(entry.kind for entry in _entries(content, path))
    if header is None or manifest is None:
        raise ArchiveError(f"{path} is cut off", hint="take another copy")
    if dict(manifest.members) != digests or dict(manifest.entries) != dict(counts):
        raise ArchiveError(f"{path} is damaged: it does not have what its manifest says", hint="take another copy")
    return header, manifest


def read(path: Path) -> Iterator[Entry | Blob]:
    """The entries and blobs, in their order. Of a file that was not ``verified`` anything may come."""
    with _refusals(path):
        for name, file in members(path):
            if name.startswith(BLOBS):
                yield Blob(BlobId(name.removeprefix(BLOBS)), file)
            elif name not in (HEADER, MANIFEST):
                yield from _entries(file.read(), path)


def _digest(file: IO[bytes]) -> str:
    sha = hashlib.sha256()
    while chunk := file.read(CHUNK):
        sha.update(chunk)
    return sha.hexdigest()


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """What reading it may come upon, in our words."""
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror or error}", hint="name another file") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ArchiveError(f"{path} is no backup, or is cut off: {error}", hint="take another copy") from error


def _entries(content: bytes, path: Path) -> Iterator[Entry]:
    for line in io.BytesIO(content):
        entry: Entry = _value(Entry, line, path)
        try:
            check_entry(entry)
        except Invalid as error:
            raise ArchiveError(f"{path} is damaged: a {entry.kind}'s {error}", hint="take another copy") from None
        yield entry


def _value(cls: type[Any], content: bytes, path: Path) -> Any:
    try:
        return codec.parse(cls, json.loads(content, parse_constant=_no_number))
    except (ValueError, RecursionError, Invalid) as error:
        raise ArchiveError(f"{path} is damaged: {error}", hint="take another copy") from None


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is no JSON")


def _known(header: Header, path: Path) -> Header:
    if header.format != _FORMAT:
        raise ArchiveError(
            f"{path} has format {header.format}, this program knows {_FORMAT}", hint="use the release that made it"
        )
    return header
