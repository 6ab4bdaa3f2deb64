"""A figure, and the load under which it is measured."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
    """Have so much done over that many connections at once; what goes wrong on one of them is raised here."""
    with ThreadPoolExecutor(connections) as pool:
        share = count // connections
        for done in [pool.submit(work, server.connect(), share) for _ in range(connections)]:
            done.result()
