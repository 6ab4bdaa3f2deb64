"""Checkpoints: records of the trail itself, which seal the group of records before them under a signature.

A checkpoint has the digest of every record of its group, so that one that was changed can be named.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from codetether_core.audit.members import members

__all__ = ["CHECKPOINT", "Checkpoint"]

CHECKPOINT: Final = "audit.checkpoint"
"""The action of a record that is one."""

_SHORT: Final = 16
"""Bytes of each digest that are kept: enough to name a record, while the head vouches for all of it."""


@frozen(kw_only=True)
class Checkpoint:
    """``head`` is that of the chain after record ``through``; ``digests`` are those of the records after ``since``.

    ``key`` is the public Ed25519 key, in hexadecimal, that ``signature`` was made with; both are empty where the
    installation has none.
    """

    tenant: str
    chain: str
    since: int
    through: int
    head: bytes
    digests: tuple[bytes, ...]
    key: str = ""
    signature: bytes = b""

    @classmethod
    def over(
        cls, *, tenant: str, chain: str, since: int, head: bytes, digests: Sequence[bytes], key: str = ""
    ) -> Checkpoint:
        """An unsigned one over the records after ``since``, to which the chain had come with ``head``."""
        return cls(
            tenant=tenant,
            chain=chain,
            since=since,
            through=since + len(digests),
            head=head,
            digests=tuple(each[:_SHORT] for each in digests),
            key=key,
        )

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Checkpoint | None:
        """The checkpoint that a record is; ``None`` for one that only looks like it."""
        said = members(record.get("metadata"))
        if not all(isinstance(said.get(name), str) for name in ("chain", "head", "digests", "key", "signature")):
            return None
        if type(said.get("since")) is not int or type(said.get("through")) is not int:
            return None
        try:
            digests = b64decode(said["digests"], validate=True)
            return cls(
                tenant=str(record.get("tenant")),
                chain=said["chain"],
                since=said["since"],
                through=said["through"],
                head=bytes.fromhex(said["head"]),
                digests=tuple(digests[at : at + _SHORT] for at in range(0, len(digests), _SHORT)),
                key=said["key"],
                signature=bytes.fromhex(said["signature"]),
            )
        except ValueError:
            return None

    @property
    def message(self) -> bytes:
        """What is signed."""
        said = {"tenant": self.tenant, **self.metadata}
        del said["signature"]
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()

    @property
    def metadata(self) -> dict[str, Any]:
        """What its record says of it."""
        return {
            "chain": self.chain,
            "since": self.since,
            "through": self.through,
            "head": self.head.hex(),
            "digests": b64encode(b"".join(self.digests)).decode(),
            "key": self.key,
            "signature": self.signature.hex(),
        }

    def is_of(self, chain: str, number: int) -> bool:
        """Whether it can have been record ``number`` of that chain."""
        covered = self.through - self.since
        return self.chain == chain and 0 <= self.since < self.through < number and covered == len(self.digests)

    def is_genuine(self, verify: Callable[[str, bytes, bytes], bool]) -> bool:
        """Whether the key that it names signed it; one that names none says nothing that could be wrong."""
        return not self.key or verify(self.key, self.message, self.signature)

    def compare(self, found: Mapping[int, bytes]) -> dict[int, bool]:
        """Of the records found, by number, those of its group that are not what it vouches for.

        ``True`` for one that belongs elsewhere in the group.
        """
        known = set(self.digests)
        return {
            number: digest[:_SHORT] in known
            for number, digest in found.items()
            if self.since < number <= self.through and self.digests[number - self.since - 1] != digest[:_SHORT]
        }
