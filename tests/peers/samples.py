"""Sample agents of the official kits, as programs of their own."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from attrs import frozen

from tests.a2a.clients import python_program
from tests.e2e.programs import until

__all__ = ["KINDS", "Sample", "sampled"]

_PROGRAMS = {"1.0": ("peer-1.3.0", "peer_1_0"), "0.3": ("peer-0.3.26", "peer_0_3")}
KINDS = [(release, streams) for release in _PROGRAMS for streams in (True, False)]


@frozen
class Sample:
    """Where it is, and what it has heard."""

    url: str
    file: Path
    release: str

    @property
    def heard(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []

    @property
    def ends(self) -> Collection[str]:
        """What it has printed of a task that waited while its first reader went and another came. The kit of release
        0.3 itself keeps a piece once for each that reads a stream, and the first one's reading may go on.
        """
        if self.release != "0.3":
            return ("begun, ended",)
        kept = self.file.with_name(f"{self.file.name}.kept").read_text().splitlines()
        return {each for each in kept if each.endswith("ended")}


@contextmanager
def sampled(release: str, streams: bool, directory: Path) -> Iterator[Sample]:
    """One that answers."""
    port, file = _free_port(), directory / "heard"
    command = python_program(*_PROGRAMS[release])
    with (directory / "said").open("wb") as said:
        arguments = [str(port), str(file), "streams" if streams else "is-asked"]
        process = subprocess.Popen([*command, *arguments], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            sample = Sample(f"http://127.0.0.1:{port}", file, release)
            until(lambda: process.poll() is not None or _answers(sample.url), "the sample's card")
            assert process.poll() is None, (directory / "said").read_text()
            yield sample
        finally:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/.well-known/agent-card.json").is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number
