"""What a call of a tool of MCP costs: one that looks a task up, in both eras, beside a trivial one of the SDK's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from statistics import median
from typing import Any, Final, TypeAlias

from attrs import frozen

from tests.bench.figure import Figure, in_threads
from tests.bench.servers import Server, codetether_server, echo_server, mcp_sdk_server
from tests.bench.wire import Connection
from tests.mcp.hub import HANDSHAKE, MODERN, envelope, named

__all__ = ["calls"]

_Ask: TypeAlias = Callable[[Connection], object]

_CONNECTIONS: Final = 16
_ERAS: Final[Mapping[str, str]] = {MODERN: "stateless revision", HANDSHAKE: "handshake revisions"}
_numbers = count()


@frozen
class _Pace:
    """Milliseconds of the server's CPU for each call, and calls per second."""

    cost: float
    rate: float


def calls(quick: bool) -> Iterator[Figure]:
    """Calls over 16 connections of a server over memory: their rate and CPU; beside them the SDK's, and an echo."""
    asked, runs = (800, 1) if quick else (4_000, 5)
    with echo_server() as server:
        floor = _pace(server, _echo, asked, 1)
    for era, name in _ERAS.items():
        with mcp_sdk_server() as server:
            peer = _pace(server, _calling("/mcp", "add", {"a": 1, "b": 2}, era), asked, runs)
        with codetether_server(store="memory://") as server:
            ours = _pace(server, _calling("/mcp/v1/rpc", "get_task", {"task_id": _task(server)}, era), asked, runs)
        rates = f"the SDK's own example {peer.rate:.0f}, an echo {floor.rate:.0f}"
        costs = f"the SDK's own example {peer.cost:.2f} ms, an echo {floor.cost:.2f} ms"
        yield Figure(f"tools/call, {name}, calls per second", ours.rate, "1/s", rates, "≥ 400")
        yield Figure(f"tools/call, {name}, CPU", ours.cost, "ms", costs)


def _pace(server: Server, ask: _Ask, asked: int, runs: int) -> _Pace:
    """Medians, once warm."""

    def work(connection: Connection, asked: int) -> None:
        for _ in range(asked):
            ask(connection)

    in_threads(server, work, asked // 4, _CONNECTIONS)
    costs: list[float] = []
    rates: list[float] = []
    for _ in range(runs):
        cpu, begun = server.cpu_seconds(), time.perf_counter()
        in_threads(server, work, asked, _CONNECTIONS)
        rates.append(asked / (time.perf_counter() - begun))
        costs.append((server.cpu_seconds() - cpu) * 1_000 / asked)
    return _Pace(median(costs), median(rates))


def _task(server: Server) -> str:
    """A task that waits."""
    asked = {"title": "bench", "prompt": "measure this", "codebase_id": "global"}
    id: str = server.connect().demand("POST", "/v1/agent/tasks", asked)["id"]
    return id


def _calling(path: str, tool: str, arguments: Mapping[str, Any], era: str) -> _Ask:
    params = {"name": tool, "arguments": arguments}
    headers = {name.replace("-", "_"): value for name, value in named("tools/call", params, era).items()}

    def ask(connection: Connection) -> None:
        answer = connection.demand("POST", path, envelope("tools/call", params, era, next(_numbers)), **headers)
        if answer["result"].get("isError"):
            raise RuntimeError(str(answer))

    return ask


def _echo(connection: Connection) -> None:
    connection.demand("POST", "/echo", envelope("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}}))
