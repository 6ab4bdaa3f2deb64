"""The protocol's library takes more than a second to import: only processes that serve it do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.http.server import TOKEN, serving
from tests.mcp.hub import HANDSHAKE, RPC, envelope, named

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


def test_a_server_imports_it_with_the_first_request_that_needs_it(tmp_path: Path) -> None:
    body = envelope("tools/list", {}, HANDSHAKE)
    headers = named("tools/list", {}, HANDSHAKE) | {"Authorization": f"Bearer {TOKEN}"}
    with serving(tmp_path) as server:
        maps = Path(f"/proc/{server.program.process.pid}/maps")
        assert "pydantic_core" not in maps.read_text()
        for _ in range(2):
            assert httpx.post(server.url + RPC, json=body, headers=headers, timeout=60).status_code == 200
        assert "pydantic_core" in maps.read_text()


def test_it_would_be_seen() -> None:
    statement = "import codetether_adapters.mcp.serving"
    done = subprocess.run([sys.executable, "-c", f"{statement}\n{_LOADED}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mcp", "mcp_types", "pydantic"]
