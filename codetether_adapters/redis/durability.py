"""Whether what a server accepts is kept, and waiting until it is."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from codetether_adapters.redis.asking import Command, ask, facts
from codetether_adapters.redis.failures import NotKept
from codetether_core.errors import Unavailable

__all__ = ["SETTINGS", "Fence", "on_disk", "require_strict", "shortcomings"]

_log = logging.getLogger(__name__)

SETTINGS: Final = ("appendonly", "appendfsync", "no-appendfsync-on-rewrite", "save")
"""What a server is asked for with ``CONFIG GET``."""

_WAIT: Final = 4000
"""Milliseconds that a replica may take to bring a batch to its disk."""

_REPLICA: Final = re.compile(r"slave\d+")


def on_disk(settings: Mapping[str, str]) -> str:
    """What these settings may lose of what was accepted when a machine or a process ends; nothing if all is kept."""
    snapshots = settings.get("save", "")
    match settings.get("appendonly"), settings.get("appendfsync"):
        case None, _:
            return "does not let its user ask (CONFIG GET) whether writes reach the disk"
        case "no", _ if not snapshots:
            return "keeps nothing on disk (appendonly no, no save): what was accepted is lost when it stops"
        case "no", _:
            return f"keeps snapshots only (appendonly no, save {snapshots}): what came after the last is lost with it"
        case _, "everysec":
            return (
                "brings writes to the disk once a second (appendfsync everysec): the last may be lost with the machine"
            )
        case _, "no":
            return (
                "leaves the disk to the system (appendfsync no): half a minute of writes may be lost with the machine"
            )
    if settings.get("no-appendfsync-on-rewrite") == "yes":
        return "leaves the disk to the system while it rewrites its log (no-appendfsync-on-rewrite yes)"
    return ""


def shortcomings(settings: Mapping[str, str], replicas: int) -> Iterator[str]:
    """Everything that may be lost where nobody waits."""
    if wanting := on_disk(settings):
        yield wanting
    if replicas:
        yield "has replicas that hear of writes after they were answered: a failover may lose the last of them"


def require_strict(settings: Mapping[str, str], name: str) -> None:
    """``Unavailable`` unless an answer of this server means that a write is on its disk.

    Not even ``WAITAOF`` can make up for another ``appendfsync``: Redis 7.4 and Valkey 8 and 9 may answer it before
    the disk has anything (redis/redis pull request 13793).
    """
    if wanting := on_disk(settings):
        hint = "set appendonly yes and appendfsync always there, or do without strict durability"
        if not settings:
            hint = "let the user ask: ACL SETUSER … +config|get"
        raise Unavailable(f"The Redis store at {name} shall be strictly durable, and {wanting}", hint=hint)


class Fence:
    """Waits until a replica has on its disk what a server was told, wherever the server has a replica.

    The answer of a server that ``require_strict`` is content with comes after its own disk.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._alone = True

    @property
    def question(self) -> Command:
        """To be sent behind the writes: which replicas there are."""
        return ("INFO", "replication")

    async def wait(self, connection: AbstractConnection, reply: bytes) -> None:
        """``NotKept`` or ``Unavailable`` if it takes too long or cannot be."""
        said = facts(reply)
        alone = not any("state=online" in value for name, value in said.items() if _REPLICA.fullmatch(name))
        if alone and not self._alone:
            _log.warning(
                "The Redis store at %s has no replica any more: what is written now is on one disk only"
                " (min-replicas-to-write 1 on the server refuses writes instead)",
                self._name,
            )
        self._alone = alone
        if alone:
            return
        try:
            _, replicas = await ask(connection, "WAITAOF", 0, 1, _WAIT)
        except ResponseError as error:
            raise Unavailable(
                f"The Redis store at {self._name} cannot say what is on its replicas' disks: {error}",
                hint="install Valkey 8 or later, or Redis 7.2 or later, or do without strict durability",
            ) from None
        if replicas < 1:
            raise NotKept(f"no replica had it on its disk within {_WAIT // 1000} s")
