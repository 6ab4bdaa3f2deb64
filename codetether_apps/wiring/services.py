"""Settings to services: the store opened, everything put together, the desk and the reaper running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog

from codetether_adapters.audited import Acting
from codetether_adapters.passwords import Argon2id
from codetether_adapters.signing import Ed25519
from codetether_adapters.system import Joined, SystemClock, SystemEntropy, together
from codetether_apps.process.hiding import HIDING
from codetether_apps.settings import Settings
from codetether_apps.wiring.backends import is_embedded, open_backend
from codetether_apps.wiring.blobs import open_blobs
from codetether_apps.wiring.channels import channel_opener
from codetether_apps.wiring.credentials import installation_key
from codetether_apps.wiring.keeping import keep_running
from codetether_apps.wiring.policy import Policy
from codetether_apps.wiring.presence import tell_of_absence
from codetether_apps.wiring.protection import protection_of
from codetether_apps.wiring.timekeeping import keep_time
from codetether_apps.wiring.trail import end_trail, tell_of_unsigned
from codetether_core.ports import AgentCards, ToolCaller
from codetether_core.services import Services, assemble
from codetether_core.tasks import LeaseTerms

__all__ = ["open_services"]

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_services(
    settings: Settings,
    acting: Acting | None = None,
    policy: Policy | None = None,
    agent_cards: AgentCards | None = None,
    tool_caller: ToolCaller | None = None,
) -> AsyncIterator[Services]:
    """The services of this process. What they keep running ends before the store is closed.

    ``acting`` tells whose the changes are that they make, ``policy`` who may act for others, and what agents may do;
    ``agent_cards`` finds out about agents elsewhere, ``tool_caller`` speaks to servers elsewhere that offer tools.
    """
    leases = settings.leases
    async with (
        open_backend(settings, open_channel=channel_opener(settings)) as backend,
        open_blobs(settings) as blobs,
    ):
        clock, entropy, key = SystemClock(await backend.now()), SystemEntropy(), installation_key(settings)
        protection = protection_of(settings, backend, blobs, clock, entropy, acting)
        services = assemble(
            protection.backend,
            clock,
            entropy,
            blobs=protection.blobs,
            kept=protection.kept,
            redaction=protection.redaction,
            at_rest=settings.encryption.at_rest,
            key=key,
            signer=Ed25519(key, b"audit trail"),
            webhook_signer=Ed25519(key, b"webhooks"),
            authorizer=policy.access if policy else None,
            agent_policy=policy.agents if policy else None,
            agent_cards=agent_cards,
            tool_caller=tool_caller,
            together=together,
            joining=Joined(),
            passwords=Argon2id(),
            terms=LeaseTerms(ttl=leases.ttl, run_timeout=leases.run_timeout, silence=leases.silence),
            reaper_interval=leases.reaper_interval,
            retention=settings.storage.retention,
            audit_retention=settings.storage.audit_retention,
            key_max_age=settings.auth.key_max_age,
        )
        await services.restoring.check_whole()
        if blobs is None:
            _log.warning(
                "no_place_for_files",
                lost="files that runs leave are refused, which fails the runs; old logs are forgotten",
                hint="set CODETETHER_BLOBS to s3://… or, where all servers share a directory, file://…",
            )
        if key is None:
            tell_of_unsigned()
        loops = [
            asyncio.create_task(keep_running("dispatch", services.dispatch.run)),
            asyncio.create_task(keep_running("maintenance", services.maintenance.run)),
            asyncio.create_task(keep_running("audit", services.trail_upkeep.run)),
            asyncio.create_task(keep_running("store", partial(tell_of_absence, "store", backend.ping, every=2))),
            asyncio.create_task(
                keep_running("blobs", partial(tell_of_absence, "blobs", services.blobs.ping, every=30))
            ),
        ]
        if blobs is not None and not (settings.storage.store or "").startswith("memory:"):
            loops.append(asyncio.create_task(keep_running("collecting", services.collecting.run)))
            loops.append(asyncio.create_task(keep_running("clearing", services.clearing.run)))
        if not is_embedded(settings):
            woke = partial(services.maintenance.rest, leases.ttl)
            loops.append(asyncio.create_task(keep_running("clock", partial(keep_time, clock, backend.now, woke))))
        try:
            with HIDING.knowing(services.redaction.known):
                yield services
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.wait(loops)
            await end_trail(services.trail_upkeep)
