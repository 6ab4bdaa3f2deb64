"""Checking an audit trail line by line, wherever the lines come from."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from attrs import Factory, define

from codetether_adapters.signing import Ed25519
from codetether_core.audit import Flaw, Verification, link_of, record_in
from codetether_core.errors import Invalid

__all__ = ["Heads", "Trail", "heads_in", "lines_in"]

Heads = Mapping[str, Mapping[int, bytes]]
"""Heads that were kept elsewhere, by chain and number."""

_GZIP: Final = b"\x1f\x8b"
_LONGEST: Final = 16 * 1024 * 1024
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_VERIFY: Final = Ed25519(None, b"").verify


@define(eq=False)
class Trail:
    """All chains that lines were of: a ``tenant``'s, if that is known, else of whichever their records name."""

    keys: frozenset[str] = frozenset()
    known: Heads = Factory(dict)
    tenant: str | None = None
    unreadable: list[str] = Factory(list)
    _chains: dict[tuple[str, str], Verification] = Factory(dict)

    def feed(self, lines: Iterable[bytes], where: str = "line") -> None:
        """The next lines, from a place that is called so."""
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                chain, link, stated = link_of(line)
            except Invalid:
                self.unreadable.append(f"{where} {number} is no record of an audit trail")
                continue
            tenant = self.tenant or str((record_in(link.body) or {}).get("tenant"))
            self._chain(tenant, chain).feed(link, stated)

    def finish(self, last: Mapping[str, int] | None = None) -> list[Flaw]:
        """There are no more; ``last`` is what the store says of how far each chain goes."""
        told = last or {}
        for name in {*told, *self.known} - {chain for _, chain in self._chains}:
            self._chain(self.tenant or "", name)
        return [flaw for (_, name), chain in self._chains.items() for flaw in chain.finish(told.get(name, 0))]

    @property
    def chains(self) -> list[Verification]:
        """Each that there were lines of, or should have been."""
        return [*self._chains.values()]

    def _chain(self, tenant: str, name: str) -> Verification:
        if (tenant, name) not in self._chains:
            known = self.known.get(name, {})
            self._chains[tenant, name] = Verification(tenant, name, _VERIFY, self.keys, known)
        return self._chains[tenant, name]


def lines_in(path: Path) -> Iterator[bytes]:
    """A file's lines, or those of the standard input (``-``), compressed or not; ``Invalid`` for what is cut off."""
    with (Path("/dev/stdin") if str(path) == "-" else path).open("rb") as file:
        plain = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == _GZIP else file
        try:
            yield from iter(partial(plain.readline, _LONGEST), b"")
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise Invalid("FILES", f"has {path}, which is compressed and damaged, or cut off") from None


def heads_in(path: Path) -> dict[str, dict[int, bytes]]:
    """What ``codetether audit head`` printed; ``Invalid`` for anything else."""
    heads: dict[str, dict[int, bytes]] = {}
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        for each in told["chains"]:
            if type(each["number"]) is not int or each["number"] < 0 or not _HASH.fullmatch(each["hash"]):
                raise ValueError
            if each["number"]:
                heads.setdefault(str(each["chain"]), {})[each["number"]] = bytes.fromhex(each["hash"])
    except (KeyError, TypeError, ValueError):
        hint = "write one: codetether audit head > FILE"
        raise Invalid("--head", f"names {path}, which has no heads", hint=hint) from None
    return heads
