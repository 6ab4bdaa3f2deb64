"""Whether what the server accepts is kept, and what to say where it is not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from codetether_adapters.redis.address import Address
from codetether_core.errors import Unavailable

__all__ = ["fence_of", "shortcoming"]

_log = logging.getLogger(__name__)

_HINT: Final = "set appendonly yes and appendfsync always on the server"


def shortcoming(settings: Mapping[str, str]) -> str:
    """What may happen to accepted writes with these settings; nothing if they are kept."""
    if settings.get("appendonly") == "no":
        return "keeps no log of its writes on disk: what was accepted is lost when it stops"
    if settings.get("appendfsync") == "no":
        return "leaves it to the system when writes reach the disk: half a minute of them may be lost with the machine"
    if settings.get("appendfsync") == "everysec":
        return "brings its writes to the disk once a second: a second of them may be lost with the machine"
    if not settings:
        return "does not say whether its writes reach the disk"
    return ""


def fence_of(settings: Mapping[str, str], said: Mapping[str, str], address: Address) -> tuple[int, int] | None:
    """What to wait for after each batch of writes: copies on disk, here and at replicas.

    A store that is not strict waits for nothing and says what that may cost; a strict one refuses a server whose
    settings cannot keep what was accepted. A cache, which throws away what it has no room for, is no store at all.
    """
    wanting = shortcoming(settings)
    if said.get("maxmemory", "0") != "0" and said.get("maxmemory_policy") != "noeviction":
        raise Unavailable(
            f"The Redis store at {address.name} throws data away when it is full",
            hint="set maxmemory-policy noeviction on the server",
        )
    if not address.strict:
        if wanting:
            _log.warning("The Redis store at %s %s (%s)", address.name, wanting, _HINT)
        return None
    newer = "valkey_version" in said or tuple(map(int, said["redis_version"].split(".")[:2])) >= (7, 2)
    if settings.get("appendonly") != "yes" or (not newer and settings.get("appendfsync") != "always"):
        problem = wanting or "cannot say when a write is on its disk"
        raise Unavailable(f"The Redis store at {address.name} shall be strict, and {problem}", hint=_HINT)
    return (1, min(int(said.get("connected_slaves", "0")), 1)) if newer else None
