"""Sealing the trail: from time to time a signed checkpoint vouches for all records up to it.

Any replica may do it, at the same time as others: a checkpoint more is no harm.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from attrs import Factory, define, evolve, frozen

from codetether_core.audit import (
    CHECKPOINT,
    GENESIS,
    SYSTEM_ACTOR,
    Chain,
    Checkpoint,
    Outcome,
    checkpoint_in,
    digest_of,
    following,
)
from codetether_core.errors import Conflict
from codetether_core.ids import TenantId
from codetether_core.ports import AuditLog, Signer
from codetether_core.services.recording import Recording

__all__ = ["Head", "Sealing"]

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
        made = 0
        for chain in await self.trail.chains():
            if chain.own:
                with suppress(Conflict):  # it has ended meanwhile
                    made += await self._seal(chain)
        return made

    async def head(self, chain: Chain) -> Head | None:
        """The chain's present head; ``None`` if nobody vouches for where it begins."""
        reached = await self._base(chain)
        while reached and (links := await self.trail.read(chain.tenant, chain.name, after=reached.number, limit=_PAGE)):
            reached = Head(links[-1].number, following(reached.hash, [digest_of(link.body) for link in links]))
        return reached

    async def head_at(self, chain: Chain, number: int) -> bytes | None:
        """The head that the chain had with that record, which may have been filed away; ``None`` if nobody tells."""
        if number == 0:
            return GENESIS
        after = number
        while links := await self.trail.read(chain.tenant, chain.name, after=after, limit=_PAGE):
            for link in links:
                checkpoint = checkpoint_in(link.body)
                if checkpoint and checkpoint.through == number and self._vouches(chain, link.number, checkpoint):
                    return checkpoint.head
            after = links[-1].number
        return None

    def _vouches(self, chain: Chain, number: int, checkpoint: Checkpoint) -> bool:
        return (
            checkpoint.tenant == chain.tenant
            and checkpoint.is_of(chain.name, number)
            and checkpoint.is_genuine(self.signer.verify)
        )

    async def _base(self, chain: Chain) -> Head | None:
        """How far the last checkpoint of our own reaches, or else where the chain begins."""
        known = self._sealed.get((chain.tenant, chain.name))
        if known is not None and known.number >= chain.start:
            return known
        before: int | None = None
        while links := await self.trail.latest(chain.tenant, chain.name, before=before, limit=_PAGE):
            for link in links:
                checkpoint = checkpoint_in(link.body)
                if (
                    checkpoint
                    and checkpoint.key == self.signer.key
                    and checkpoint.through >= chain.start
                    and self._vouches(chain, link.number, checkpoint)
                ):
                    return Head(checkpoint.through, checkpoint.head)
            before = links[-1].number
        head = await self.head_at(chain, chain.start)
        return None if head is None else Head(chain.start, head)

    async def _seal(self, chain: Chain) -> int:
        made, reached = 0, await self._base(chain)
        while reached and (
            links := await self.trail.read(chain.tenant, chain.name, after=reached.number, limit=_GROUP)
        ):
            # Behind one that is missing nobody vouches for anything.
            links = [link for number, link in enumerate(links, reached.number + 1) if link.number == number]
            if all(checkpoint_in(link.body) for link in links):
                break
            digests = [digest_of(link.body) for link in links]
            head = following(reached.hash, digests)
            await self._add(chain, reached.number, head, digests)
            made, reached = made + 1, Head(links[-1].number, head)
        if reached:
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
