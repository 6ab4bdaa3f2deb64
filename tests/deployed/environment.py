"""The released worker in a virtual environment of its own, made once and kept below the project's ``.cache``."""

from __future__ import annotations

import fcntl
import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["NotInstalled", "worker_program"]

_HERE = Path(__file__).parent
_REQUIREMENTS = _HERE / "requirements.txt"
_CACHE = _HERE.parents[1] / ".cache" / "deployed-worker"


class NotInstalled(Exception):
    """The environment could not be made; the message has the commands that make it."""


def worker_program() -> Path:
    """``codetether-worker`` of release 1.4.3, under the interpreter that runs the tests."""
    tag = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    directory = _CACHE / f"{sys.implementation.cache_tag}-{tag}"
    program, ready = directory / "bin" / "codetether-worker", directory / ".ready"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (ready.exists() and _runs(program)):
            shutil.rmtree(directory, ignore_errors=True)
            _make(directory)
            ready.touch()
    return program


def _runs(program: Path) -> bool:
    """Whether the environment's interpreter is still there; the program's first line names it."""
    return (program.parent / "python").exists() and program.exists()


def _make(directory: Path) -> None:
    python = directory / "bin" / "python"
    commands = [
        [sys.executable, "-m", "venv", "--without-pip", str(directory)],
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)),
            *("install", "--quiet", "--no-deps", "--only-binary", ":all:", "--requirement", str(_REQUIREMENTS)),
        ],
    ]
    for command in commands:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            by_hand = "\n".join(f"    {shlex.join(each)}" for each in commands)
            raise NotInstalled(f"The released worker is not installed. Install it with\n{by_hand}\n{done.stderr}")
