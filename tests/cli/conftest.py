import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from codetether_adapters.client import Client
from codetether_apps.cli import main
from tests.client.servers import TOKEN, fakes, hub

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def fakes_end() -> Iterator[None]:
    yield
    fakes.stop()


@pytest.fixture(scope="session")
def hub_url() -> Iterator[str]:
    with hub() as url:
        yield url


@pytest.fixture
def client(hub_url: str) -> Iterator[Client]:
    with Client(hub_url, token=TOKEN) as client:
        yield client


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of ours, and a data directory of the test's own."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CODETETHER_", "A2A_", "NO_COLOR"))
    }
    return kept | {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "CODETETHER_DATA_DIR": str(tmp_path / "data"),
        "CODETETHER_TOKEN": TOKEN,
    }


class Run(Protocol):
    """A command run in this process: its exit code."""

    def __call__(self, *arguments: str) -> int: ...


@pytest.fixture
def run(hub_url: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command against the hub, in this process."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("CODETETHER_", "A2A_", "NO_COLOR")):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CODETETHER_SERVER", hub_url)
    return lambda *arguments: main(arguments)


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(hub_url: str, environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start a command as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def popen(*arguments: str, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "codetether_apps.cli", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "CODETETHER_SERVER": hub_url} | environment | more,
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        with process:
            process.kill()
