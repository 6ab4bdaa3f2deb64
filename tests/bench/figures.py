"""The figures: each measures something of ours and, in the same run, what it is to be held against."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median, quantiles
from typing import TypeAlias

from tests.bench.calls import calls
from tests.bench.dispatching import dispatch_latencies
from tests.bench.figure import THREADS, Figure, in_threads
from tests.bench.lives import CLASSIC_REQUESTS, classic_life, own_life, run_lives
from tests.bench.messages import messages
from tests.bench.redacting import redaction_costs
from tests.bench.servers import Server, codetether_server, echo_server
from tests.bench.wire import Connection

__all__ = ["FIGURES", "Measure", "cost", "drive"]


def life(quick: bool) -> Iterator[Figure]:
    """CPU of the server per 1,000 whole lives, and its growth from the first thousand to the last."""
    lives = 500 if quick else 1_000
    last = 2_000 if quick else 20_000
    floor = _echo_floor(lives)
    beside = f"hypercorn's floor for {CLASSIC_REQUESTS} requests {floor:.2f}"
    with codetether_server() as server:
        first, rate = cost(server, classic_life, lives)
        yield Figure("classic life, CPU-s per 1,000", first, "s", beside, "≤ 7")
        yield Figure("classic life, lives per second", rate, "1/s", f"{THREADS} connections")
        drive(server, classic_life, last - 2 * lives)
        late, _ = cost(server, classic_life, lives)
        yield Figure(f"classic life, the {last:,}th thousand : the first", late / first, "×", "", "≤ 1.1")
        yield Figure("resident memory after that", server.resident_bytes() / 2**20, "MiB")
    with codetether_server() as server:
        own, rate = cost(server, own_life, lives)
        yield Figure("our worker's life, CPU-s per 1,000", own, "s", beside, "≤ 4")
        yield Figure("our worker's life, lives per second", rate, "1/s", f"{THREADS} connections")


def dispatch(quick: bool) -> Iterator[Figure]:
    """From sending a create to the offer's arrival on a worker's stream: 4 workers, 10 tasks a second."""
    beside = f"4 workers, 10 tasks/s; an echo at that rate {_lone_echo() * 1e3:.1f} ms"
    with codetether_server() as server:
        latencies = dispatch_latencies(server, workers=4, tasks=100 if quick else 400, rate=10)
    cuts = quantiles(latencies, n=100)
    yield Figure("dispatch p50", median(latencies) * 1e3, "ms", beside, "≤ 3")
    yield Figure("dispatch p99", cuts[98] * 1e3, "ms", beside, "≤ 12")


def start(quick: bool) -> Iterator[Figure]:
    """Imports and cold starts."""
    runs = 3 if quick else 7
    bare = _wall([sys.executable, "-c", "pass"], runs)
    core = _wall([sys.executable, "-c", "import codetether_core"], runs)
    codec = _wall([sys.executable, "-c", "import codetether_core.codec"], runs)
    cattrs = _wall([sys.executable, "-c", "import cattrs"], runs)
    yield Figure(
        "import of the core : of cattrs",
        (core - bare) / (cattrs - bare),
        "×",
        f"{core - bare:.0f} ms, with its codec {codec - bare:.0f} ms, cattrs {cattrs - bare:.0f} ms",
        "≤ 1.3",
    )
    yield Figure(
        "codetether --help",
        _wall([sys.executable, "-m", "codetether_apps.cli", "--help"], runs),
        "ms",
        f"bare python {bare:.0f} ms",
        "≤ 250",
    )
    ready: list[float] = []
    memory: list[float] = []
    for _ in range(runs):
        with codetether_server() as server:
            ready.append(server.started_in * 1e3)
            memory.append(server.resident_bytes() / 2**20)
    with echo_server() as floor:
        beside = f"an echo server {floor.started_in * 1e3:.0f} ms, {floor.resident_bytes() / 2**20:.0f} MiB"
    yield Figure("exec to ready", median(ready), "ms", beside, "≤ 1,200")
    yield Figure("resident memory when idle", median(memory), "MiB", beside)


def redaction(quick: bool) -> Iterator[Figure]:
    """CPU for each 16 KiB of a run's output, by how many secrets its tenant has."""
    for secrets in (1, 5, 100):
        feed, whole = redaction_costs(secrets, 20 if quick else 200)
        name = f"redaction of 16 KiB, {secrets} secret{'s' if secrets > 1 else ''}"
        yield Figure(name, feed, "ms", f"as a whole text {whole:.2f} ms", "≤ 1")


Measure: TypeAlias = Callable[[bool], Iterator[Figure]]
"""Measures, quickly if told so."""

FIGURES: Mapping[str, Measure] = {
    "life": life,
    "dispatch": dispatch,
    "start": start,
    "redaction": redaction,
    "a2a": messages,
    "mcp": calls,
}


def _echo_floor(lives: int) -> float:
    body = {"title": "bench", "prompt": "measure this", "text": "x" * 240}

    def work(connection: Connection, lives: int) -> None:
        for _ in range(lives * CLASSIC_REQUESTS):
            connection.demand("POST", "/echo", body)

    with echo_server() as server:
        in_threads(server, work, 50)
        before = server.cpu_seconds()
        in_threads(server, work, lives)
        return (server.cpu_seconds() - before) * 1_000 / lives


def _lone_echo() -> float:
    """Seconds from question to answer on a machine that rests between them."""
    taken: list[float] = []
    with echo_server() as server:
        connection = server.connect()
        for _ in range(30):
            time.sleep(0.1)
            begun = time.perf_counter()
            connection.demand("POST", "/echo", {"title": "bench"})
            taken.append(time.perf_counter() - begun)
    return median(taken)


def cost(server: Server, life: Callable[[Connection, str, int], None], lives: int) -> tuple[float, float]:
    """CPU-seconds per 1,000 lives, and lives per second."""
    cpu, wall = server.cpu_seconds(), time.perf_counter()
    drive(server, life, lives)
    return (server.cpu_seconds() - cpu) * 1_000 / lives, lives / (time.perf_counter() - wall)


def drive(server: Server, life: Callable[[Connection, str, int], None], lives: int) -> None:
    in_threads(server, lambda connection, count: run_lives(connection, life, count), lives)


def _wall(command: list[str], runs: int) -> float:
    """Median milliseconds of running a command, once warm."""
    subprocess.run(command, check=True, capture_output=True)
    taken: list[float] = []
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append((time.perf_counter() - begun) * 1e3)
    return median(taken)
