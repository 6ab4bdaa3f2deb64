"""Opening the Redis stores."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from attrs import field, frozen

from codetether_adapters.redis.address import address
from codetether_adapters.redis.approvals import RedisApprovals
from codetether_adapters.redis.audit import RedisAudit
from codetether_adapters.redis.beginning import begin
from codetether_adapters.redis.encoding import moment
from codetether_adapters.redis.inbox import RedisInbox
from codetether_adapters.redis.log import RedisLog
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.notifier import RedisNotifier
from codetether_adapters.redis.reader import Reader
from codetether_adapters.redis.records import RedisCodebases, RedisDirectory, RedisRecords
from codetether_adapters.redis.sessions import RedisSessions
from codetether_adapters.redis.signposts import Signposts
from codetether_adapters.redis.tail import Tail
from codetether_adapters.redis.tasks import RedisTasks
from codetether_adapters.redis.wakeups import Wakeups
from codetether_adapters.redis.webhooks import RedisWebhooks
from codetether_adapters.redis.writer import Writer
from codetether_core.access import Account, Credential
from codetether_core.agents import Agent
from codetether_core.artifacts import Leftover
from codetether_core.events import AGENTS, CODEBASES, CREDENTIALS, WORKERS
from codetether_core.ports import Backend
from codetether_core.secrets import DataKey, Secret
from codetether_core.tool_servers import ToolServer
from codetether_core.workers import Worker

__all__ = ["RedisBackend", "open_backend"]


@frozen(kw_only=True)
class RedisBackend:
    """The stores of one server or cluster (a ``Backend``)."""

    tasks: RedisTasks
    approvals: RedisApprovals
    log: RedisLog
    notifier: RedisNotifier
    codebases: RedisCodebases
    directory: RedisDirectory
    sessions: RedisSessions
    inbox: RedisInbox
    credentials: RedisRecords[Credential]
    accounts: RedisRecords[Account]
    secrets: RedisRecords[Secret]
    data_keys: RedisRecords[DataKey]
    tool_servers: RedisRecords[ToolServer]
    webhooks: RedisWebhooks
    leftovers: RedisRecords[Leftover]
    audit: RedisAudit
    _nodes: Nodes = field(alias="nodes")

    async def is_whole(self) -> bool:
        """Whether nothing is noted that says otherwise."""
        return not await self._nodes.call(0, "HEXISTS", self._nodes.layout.key(0, "meta"), "partial")

    async def set_whole(self, whole: bool) -> None:
        """Beside the version of the data."""
        meta = self._nodes.layout.key(0, "meta")
        if whole:
            await self._nodes.call(0, "HDEL", meta, "partial", durable=True)
        else:
            await self._nodes.call(0, "HSET", meta, "partial", 1, durable=True)

    async def now(self) -> datetime:
        """The time of the server that has the first shard."""
        seconds, rest = await self._nodes.call(0, "TIME")
        return moment(int(seconds) * 1_000_000 + int(rest))

    async def ping(self) -> None:
        """Have every shard's server take a write: one that is full, or lacks its replicas, only answers questions."""
        layout = self._nodes.layout
        await asyncio.gather(*(self._nodes.call(shard, "SET", layout.key(shard, "mark"), 1) for shard in layout.every))


@asynccontextmanager
async def open_backend(url: str, *, strict: bool = False) -> AsyncIterator[Backend]:
    """The stores that ``redis://host:port/db`` names, made if there are none.

    ``rediss`` speaks TLS; ``redis+cluster`` names some servers of a cluster. A ``strict`` store answers a write when
    it is on the disk of its server, and of a replica where there is one, and refuses a server that cannot keep that.
    ``Unavailable`` and ``Invalid`` say what is wrong with the address or a server, and what to do.
    """
    async with AsyncExitStack() as stack:
        nodes = Nodes(address(url), strict=strict)
        stack.push_async_callback(nodes.close)
        epoch, _ = await begin(nodes)
        # Whoever cannot keep what it is told says so before anything is accepted.
        await asyncio.gather(*(nodes.settle(shard) for shard in nodes.layout.every))
        notifier = RedisNotifier(nodes, secrets.token_hex(4))
        tail = Tail(nodes, notifier, epoch)
        stack.push_async_callback(tail.close)
        wakeups = Wakeups(nodes, tail, notifier)
        stack.push_async_callback(wakeups.close)
        await tail.open()
        await wakeups.open()
        writer, reader = Writer(nodes, tail, notifier), Reader(nodes)
        stack.push_async_callback(writer.close)
        signposts = Signposts(nodes)
        yield RedisBackend(
            tasks=RedisTasks(writer, reader, signposts),
            approvals=RedisApprovals(reader, signposts),
            log=RedisLog(nodes, writer, tail, signposts),
            notifier=notifier,
            codebases=RedisCodebases(writer, reader),
            directory=RedisDirectory(
                RedisRecords(Worker, "worker", WORKERS, writer, reader),
                RedisRecords(Agent, "agent", AGENTS, writer, reader),
            ),
            sessions=RedisSessions(writer, reader),
            inbox=RedisInbox(writer, reader),
            credentials=RedisRecords(Credential, "credential", CREDENTIALS, writer, reader),
            accounts=RedisRecords(Account, "account", CREDENTIALS, writer, reader),
            secrets=RedisRecords(Secret, "secret", CREDENTIALS, writer, reader),
            data_keys=RedisRecords(DataKey, "data_key", CREDENTIALS, writer, reader),
            tool_servers=RedisRecords(ToolServer, "tool_server", CREDENTIALS, writer, reader),
            webhooks=RedisWebhooks(writer, reader),
            leftovers=RedisRecords(Leftover, "leftover", CODEBASES, writer, reader),
            audit=RedisAudit(nodes, writer, tail),
            nodes=nodes,
        )
