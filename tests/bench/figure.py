"""A figure, and the load under which it is measured."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from attrs import frozen

from tests.bench.servers import Server
from tests.bench.wire import Connection

__all__ = ["THREADS", "Figure", "in_threads"]

THREADS: Final = 4


@frozen
class Figure:
    """One number, or that it was not measured: ``beside`` says what was measured in the same run to compare it with,
    or why it was not; ``bar`` what we aim at.
    """

    name: str
    value: float | None
    unit: str
    beside: str = ""
    bar: str = ""

    @property
    def shown(self) -> str:
        """The value for people."""
        return "not measured" if self.value is None else f"{self.value:,.2f} {self.unit}"


def in_threads(
    server: Server, work: Callable[[Connection, int], object], count: int, connections: int = THREADS
) -> None:
    """Have so much done over that many connections at once."""
    each = count // connections
    threads = [threading.Thread(target=work, args=(server.connect(), each)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
