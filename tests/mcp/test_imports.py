"""The protocol's library takes more than a second to import: only processes that serve it do."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOADED = (
    "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules} & {'mcp', 'mcp_types', 'pydantic'}))"
)


@pytest.mark.parametrize(
    "statement",
    [
        "import codetether_core",
        "import codetether_adapters.mcp.catalogue, codetether_adapters.mcp.stdio",
        "import codetether_apps.wiring.application",
        "import codetether_apps.mcp, codetether_apps.worker, codetether_apps.standalone",
        "from codetether_apps.cli import main\ntry:\n    main(['server', '--help'])\nexcept SystemExit: pass",
        "from codetether_apps.cli import main\ntry:\n    main(['mcp', '--help'])\nexcept SystemExit: pass",
        "from codetether_apps.cli import main\ntry:\n    main(['task', 'list', '--help'])\nexcept SystemExit: pass",
    ],
)
def test_it_is_not_imported_before_it_is_served(statement: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"{statement}\n{_LOADED}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_it_would_be_seen() -> None:
    statement = "import codetether_adapters.mcp.serving"
    done = subprocess.run([sys.executable, "-c", f"{statement}\n{_LOADED}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mcp", "mcp_types", "pydantic"]
