"""``codetether mcp`` as a process: what it speaks on its port, and which token it shows over standard input."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
import sys
from pathlib import Path

import httpx

from tests.e2e.programs import ROOT, start, until
from tests.mcp.upstream import served
from tests.servers.tls import Authority

PING = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode() + b"\n"


def test_it_speaks_tls_where_it_has_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    cert, key = authority.issue("server")
    settings = {"CODETETHER_TLS_CERT": str(cert), "CODETETHER_TLS_KEY": str(key)}
    program = start(tmp_path / "log", settings, "-m", "codetether_apps.mcp")
    try:
        found = until(lambda: re.search(r'"url": ?"(https://127\.0\.0\.1:\d+)"', program.said), "its start")
        assert found is not None, program.said
        trusting = ssl.create_default_context(cafile=authority.ca)
        assert httpx.get(f"{found[1]}/livez", verify=trusting).json() == {"status": "alive"}
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.said
    finally:
        program.kill()


async def test_over_standard_input_the_token_is_the_one_that_there_is_now(tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with served() as beside:
        environment = {**os.environ, "CODETETHER_DATA_DIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "codetether_apps.mcp", "--stdio", "--server", beside.url),
            cwd=ROOT,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert program.stdin is not None
        assert program.stdout is not None
        for each in ("first", "second"):
            token.write_text(each)
            program.stdin.write(PING)
            assert json.loads(await program.stdout.readline()) == {"result": "here"}
        program.stdin.close()
        assert await program.wait() == 0
    assert [headers["authorization"] for headers in beside.upstream.headers] == ["Bearer first", "Bearer second"]
