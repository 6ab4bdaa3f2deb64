"""Sealing the trail: from time to time a signed checkpoint vouches for all records up to it.

Any replica may do it, at the same time as others: a checkpoint more is no harm.
"""

from __future__ import annotations

import json
from typing import Final

from attrs import Factory, define, evolve, frozen

from codetether_core.audit import (
    CHECKPOINT,
    GENESIS,
    SYSTEM_ACTOR,
    Chain,
    Checkpoint,
    Link,
    Outcome,
    digest_of,
    following,
)
from codetether_core.ids import TenantId
from codetether_core.ports import AuditLog, Signer
from codetether_core.services.recording import Recording

__all__ = ["Head", "Sealing", "checkpoint_of"]

_GROUP: Final = 500
"""Records that a checkpoint vouches for at most."""

_PAGE: Final = 200


@frozen
class Head:
    """How far a chain had come with a head."""

    number: int
    hash: bytes


@define(eq=False)
class Sealing:
    """Puts checkpoints into the store's own chains."""

    trail: AuditLog
    recording: Recording
    signer: Signer
    _sealed: dict[tuple[TenantId, str], Head] = Factory(dict[tuple[TenantId, str], Head])

    async def seal(self) -> int:
        """Seal what is not; how many checkpoints that took."""
        return sum([await self._seal(chain) for chain in await self.trail.chains() if chain.own])

    def genuine(self, checkpoint: Checkpoint) -> bool:
        """Whether it is as its key signed it, or names none."""
        return not checkpoint.key or self.signer.verify(checkpoint.key, checkpoint.message, checkpoint.signature)

    async def head(self, chain: Chain) -> Head:
        """The chain's present head."""
        reached = await self.sealed(chain)
        while links := await self.trail.read(chain.tenant, chain.name, after=reached.number, limit=_PAGE):
            digests = [digest_of(link.body) for link in links]
            reached = Head(links[-1].number, following(reached.hash, digests))
        return reached

    async def sealed(self, chain: Chain) -> Head:
        """How far the last checkpoint that is genuine reaches."""
        known = self._sealed.get((chain.tenant, chain.name))
        if known is not None and known.number >= chain.start:
            return known
        before = chain.last
        while before > chain.start:
            after = max(before - _PAGE, chain.start)
            links = await self.trail.read(chain.tenant, chain.name, after=after, limit=before - after)
            for link in reversed(links):
                checkpoint = checkpoint_of(link)
                if checkpoint is not None and checkpoint.chain == chain.name and self.genuine(checkpoint):
                    return Head(checkpoint.through, checkpoint.head)
            before = after
        return Head(chain.start, GENESIS)

    async def _seal(self, chain: Chain) -> int:
        made, reached = 0, await self.sealed(chain)
        while links := await self.trail.read(chain.tenant, chain.name, after=reached.number, limit=_GROUP):
            if all(checkpoint_of(link) for link in links):
                break
            digests = [digest_of(link.body) for link in links]
            head = following(reached.hash, digests)
            await self._add(chain, reached.number, head, digests)
            made, reached = made + 1, Head(links[-1].number, head)
        self._sealed[chain.tenant, chain.name] = reached
        return made

    async def _add(self, chain: Chain, since: int, head: bytes, digests: list[bytes]) -> None:
        made = Checkpoint.over(
            tenant=chain.tenant, chain=chain.name, since=since, head=head, digests=digests, key=self.signer.key
        )
        signed = evolve(made, signature=self.signer.sign(made.message))
        await self.recording.record(
            chain.tenant,
            SYSTEM_ACTOR,
            CHECKPOINT,
            f"chain/{chain.name}",
            Outcome.SUCCESS,
            signed.metadata,
            chain=chain.name,
        )


def checkpoint_of(link: Link) -> Checkpoint | None:
    """The checkpoint that a record is, if it is one."""
    if CHECKPOINT.encode() not in link.body:
        return None
    record = json.loads(link.body)
    return Checkpoint.read(record) if record.get("action") == CHECKPOINT else None
