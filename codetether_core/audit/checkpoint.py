"""Checkpoints: records of the trail itself, which seal the group of records before them under a signature.

A checkpoint has the digest of every record of its group, so that one that was changed can be named.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen

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

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Checkpoint | None:
        """The checkpoint that a record is; ``None`` for one that only looks like it."""
        try:
            said = record["metadata"]
            digests = b64decode(said["digests"], validate=True)
            return cls(
                tenant=record["tenant"],
                chain=said["chain"],
                since=int(said["since"]),
                through=int(said["through"]),
                head=bytes.fromhex(said["head"]),
                digests=tuple(digests[at : at + _SHORT] for at in range(0, len(digests), _SHORT)),
                key=said["key"],
                signature=bytes.fromhex(said["signature"]),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def recognizes(self, number: int, digest: bytes) -> bool:
        """Whether the record of that number, one of its group, had that digest."""
        return self.digests[number - self.since - 1] == digest[:_SHORT]

    def place_of(self, digest: bytes) -> int | None:
        """The number of the record with that digest in its group, if there is one."""
        short = digest[:_SHORT]
        return self.since + 1 + self.digests.index(short) if short in self.digests else None
