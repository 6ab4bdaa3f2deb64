"""The protocol's conformance suite, with a catalogue of its own behind our application and HTTP server."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.mcp.clients import conformance
from tests.mcp.fixture import Fixture, extended
from tests.mcp.serving import serving

PUSHED = ("tools-call-sampling", "tools-call-elicitation", "elicitation-sep1034-defaults", "elicitation-sep1330-enums")
"""The server asks the client on its own account: nobody can without sessions."""

WARNED = ("server-sse-multiple-streams",)
"""That there is no session is all that it says; a list of what is expected makes that count as a failure."""


@pytest.mark.parametrize("path", ["/mcp/v1/rpc", "/mcp"])
@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
async def test_what_a_revision_requires(revision: str, path: str, tmp_path: Path) -> None:
    expected = tmp_path / "expected.yaml"
    named = "".join(f"  - {each}\n" for each in (*PUSHED, *WARNED)) if revision == "2025-11-25" else "  []\n"
    expected.write_text(f"server:\n{named}")
    fixture = Fixture()
    async with serving(fixture, extended) as url:
        asked = ("server", "--url", f"{url}{path}", "--requirements", revision, "-o", str(tmp_path / "out"))
        more = ("--expected-failures", str(expected), "--verbose")
        done = await asyncio.to_thread(conformance, *asked, *more, place=tmp_path)
        await fixture.jobs.close()
    told = re.findall(r"^. (tasks-[a-z-]+): (\d+) passed, (\d+) failed", done.stdout, re.MULTILINE)
    assert len(told) == (10 if revision == "2026-07-28" else 0)
    assert [name for name, _, failed in told if failed != "0"] == [], done.stdout[-8000:]
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
