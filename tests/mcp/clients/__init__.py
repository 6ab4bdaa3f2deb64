"""The protocol's own programs: the conformance suite and the Inspector, from npm."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.a2a.clients import NODE, node_packages

__all__ = ["conformance", "inspect"]

_HERE = Path(__file__).parent
_CONFORMANCE = "@modelcontextprotocol/conformance/dist/index.js"
_INSPECTOR = "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
_PATIENCE = 240.0


def conformance(*arguments: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Run the suite; its results are below ``place``."""
    return _run(_CONFORMANCE, arguments, place)


def inspect(url: str, era: str, *arguments: str, place: Path, token: str) -> subprocess.CompletedProcess[str]:
    """Run the Inspector's command line against an endpoint."""
    said = ("--cli", "--server-url", url, "--transport", "http", "--protocol-era", era, "--format", "json")
    return _run(_INSPECTOR, (*said, "--header", f"Authorization: Bearer {token}", *arguments), place)


def _run(program: str, arguments: Any, place: Path) -> subprocess.CompletedProcess[str]:
    environment: Mapping[str, str] = {"PATH": str(NODE.parent), "HOME": str(place), "NO_COLOR": "1"}
    return subprocess.run(
        [NODE, node_packages("mcp", _HERE) / program, *arguments],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
