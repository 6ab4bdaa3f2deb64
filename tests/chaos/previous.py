"""The release before this one, as far as there is one: the last commit that ships other code than this tree has."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from tests.e2e.programs import ROOT

__all__ = ["previous_release"]

_SHIPPED: Final = ("codetether_core", "codetether_adapters", "codetether_apps")
_NEEDED: Final = (
    "A rolling upgrade starts with the previous release, which is taken from this repository's history:"
    " run this in a clone that has it (git fetch --unshallow)"
)


def previous_release(directory: Path) -> Path:
    """Put its code into a new directory there."""
    commit = "HEAD"
    if not _git("status", "--porcelain", "--", *_SHIPPED):
        commit = f"{_git('log', '-1', '--format=%H', '--', *_SHIPPED).decode().strip()}~1"
    tree = directory / "previous"
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit, "--", *_SHIPPED))) as archive:
        archive.extractall(tree, filter="data")
    return tree


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{_NEEDED}. {done.stderr.decode().strip()}")
    return done.stdout
