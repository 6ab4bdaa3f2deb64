"""The command, as whoever keeps backups runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

__all__ = ["Run", "run"]

Run: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command as a user does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CODETETHER_")}

    def codetether(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "codetether_apps.cli", *arguments],
            cwd=tmp_path,
            env={**environment, "CODETETHER_DATA_DIR": str(tmp_path / "data"), **settings},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return codetether
