"""Every channel keeps the contract: Redis alone and as a cluster, and PostgreSQL's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.channel import open_own_channel
from codetether_adapters.postgres.reader import Overseer
from codetether_adapters.redis import open_channel
from codetether_core.ports import Channel, OpenChannel
from contracts.ports import channel_contract
from tests.servers.postgres import new_store
from tests.servers.valkey import fresh, own_cluster, own_server


def in_a_database() -> OpenChannel:
    address = Address.parse(new_store())

    @asynccontextmanager
    async def opened(scope: str) -> AsyncIterator[Channel]:
        overseer = Overseer(address)
        await overseer.open()
        try:
            async with open_own_channel(address, overseer, scope) as channel:
                yield channel
        finally:
            await overseer.close()

    return opened


TestRedis = channel_contract(lambda: partial(open_channel, fresh(own_server().url)))

TestRedisCluster = channel_contract(lambda: partial(open_channel, fresh(own_cluster().url)))

TestPostgres = channel_contract(in_a_database)
