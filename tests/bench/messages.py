"""What a message of A2A costs: from SendMessage to the completed task, by an agent in the server's own process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count
from statistics import quantiles
from typing import Any

from tests.bench.figure import Figure, in_threads
from tests.bench.servers import Server, a2a_server, echo_server, sdk_server
from tests.bench.wire import Connection

__all__ = ["messages"]

_numbers = count()


def messages(quick: bool) -> Iterator[Figure]:
    """CPU of the server per message, and how soon a stream begins; beside it the official SDK's server, and an echo."""
    sent = 500 if quick else 4_000
    with echo_server() as server:
        floor = _cost(server, _echo, sent)
    with sdk_server() as server:
        peer = _cost(server, _send, sent // 2)
        late = _late(server, sent // 10)
    with a2a_server() as server:
        cost = _cost(server, _send, sent)
        first = _late(server, sent // 10)
    beside = f"the official SDK's server {peer:.2f} ms, an echo {floor:.2f} ms"
    yield Figure("SendMessage to completed, CPU", cost, "ms", beside, "≤ 1.5")
    yield Figure("a stream's first event, p99", first, "ms", f"the official SDK's server {late:.1f} ms", "≤ 20")


def _cost(server: Server, ask: Callable[[Connection], object], asked: int) -> float:
    """Milliseconds of CPU for each request, over connections that wait for their answers."""

    def work(connection: Connection, asked: int) -> None:
        for _ in range(asked):
            ask(connection)

    in_threads(server, work, asked // 10)
    before = server.cpu_seconds()
    in_threads(server, work, asked)
    return (server.cpu_seconds() - before) * 1_000 / asked


def _echo(connection: Connection) -> None:
    connection.demand("POST", "/echo", _call("SendMessage"))


def _send(connection: Connection) -> None:
    answer = connection.demand("POST", "/v1/a2a", _call("SendMessage"), A2A_Version="1.0")
    if answer["result"]["task"]["status"]["state"] != "TASK_STATE_COMPLETED":
        raise RuntimeError(str(answer))


def _late(server: Server, streams: int) -> float:
    """Milliseconds from sending a message to the first event of its stream, of which 1 % take longer."""
    taken: list[float] = []
    for _ in range(streams):
        begun = time.perf_counter()
        with server.connect().stream("POST", "/v1/a2a", _call("SendStreamingMessage"), A2A_Version="1.0") as lines:
            if not any(line.startswith(b"data:") for line in lines):
                raise RuntimeError("no event came")
            taken.append((time.perf_counter() - begun) * 1e3)
    return quantiles(taken, n=100)[98]


def _call(method: str) -> dict[str, Any]:
    number = next(_numbers)
    message = {"messageId": f"bench-{number}", "role": "ROLE_USER", "parts": [{"text": "say this back"}]}
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": {"message": message}}
