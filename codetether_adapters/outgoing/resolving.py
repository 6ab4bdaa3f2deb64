"""Names to addresses, as this machine's resolver has them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from codetether_core.errors import Unavailable

__all__ = ["Resolve", "Resolver"]

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host; ``Unavailable`` if there are none now."""

_THREADS: Final = 8


class Resolver:
    """Asks in threads of its own: names whose servers never answer keep nobody else waiting (a ``Resolve``)."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "resolver")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """In the order in which they are to be tried."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, _look_up, host, port)
        except (OSError, UnicodeError):
            raise Unavailable("The host's name has no address") from None
        return [*dict.fromkeys(found)]

    def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[str]:
    return [str(place[0]) for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
