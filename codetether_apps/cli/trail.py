"""Checking an audit trail line by line, wherever the lines come from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import Factory, define

from codetether_core.audit import Checkpoint, Flaw, Verification, link_of
from codetether_core.errors import Invalid

__all__ = ["Trail", "heads_in", "lines_in", "lines_of"]

_GZIP: Final = b"\x1f\x8b"


@define(eq=False)
class Trail:
    """All chains that lines were of. ``known`` has heads that were kept elsewhere, by chain and number."""

    keys: frozenset[str] = frozenset()
    known: Mapping[str, Mapping[int, bytes]] = Factory(dict)
    unreadable: list[str] = Factory(list)
    _chains: dict[str, Verification] = Factory(dict)

    def feed(self, lines: Iterable[bytes], where: str = "line") -> None:
        """The next lines, from a place that is called so."""
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                chain, link, stated = link_of(line)
                json.loads(link.body)
            except (Invalid, ValueError):
                self.unreadable.append(f"{where} {number} is no record of an audit trail")
                continue
            self._chain(chain).feed(link, stated)

    def finish(self, last: Mapping[str, int] | None = None) -> list[Flaw]:
        """There are no more; ``last`` is what the store says of how far each chain goes."""
        told = last or {}
        for name in (*told, *self.known):
            self._chain(name)
        return [flaw for name, chain in self._chains.items() for flaw in chain.finish(told.get(name, 0))]

    @property
    def chains(self) -> Mapping[str, Verification]:
        """Each that there were lines of, or should have been."""
        return self._chains

    def _chain(self, name: str) -> Verification:
        if name not in self._chains:
            self._chains[name] = Verification(name, _genuine, self.keys, self.known.get(name, {}))
        return self._chains[name]


def lines_in(path: Path) -> Iterator[bytes]:
    """A file's lines, or those of the standard input (``-``), compressed or not."""
    with Path("/dev/stdin").open("rb") if str(path) == "-" else path.open("rb") as file:
        yield from gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == _GZIP else file


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of what comes in pieces."""
    waiting = b""
    for chunk in chunks:
        *lines, waiting = (waiting + chunk).split(b"\n")
        yield from lines
    if waiting:
        yield waiting


def heads_in(path: Path) -> dict[str, dict[int, bytes]]:
    """What ``codetether audit head`` printed; ``Invalid`` for anything else."""
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        heads: dict[str, dict[int, bytes]] = {}
        for each in told["chains"]:
            heads.setdefault(each["chain"], {})[int(each["number"])] = bytes.fromhex(each["hash"])
    except (KeyError, TypeError, ValueError):
        raise Invalid(
            "--head", f"names {path}, which has no heads", hint="write one: codetether audit head > FILE"
        ) from None
    return heads


def _genuine(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint is as the key that it names signed it; one that names none says nothing."""
    from codetether_adapters.signing import Ed25519

    if not checkpoint.key:
        return True
    return Ed25519(None, b"").verify(checkpoint.key, checkpoint.message, checkpoint.signature)
