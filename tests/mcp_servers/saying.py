"""What a server that misbehaves may say, and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.mcp_servers.far import Said

__all__ = ["discovered", "http", "result", "saying", "serving"]


def http(status: str, body: str, kind: str = "application/json", **headers: str) -> bytes:
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body.encode())}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n{body}".encode()


def result(asked: Any, **told: Any) -> bytes:
    return http("200 OK", json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": told}))


def saying(answer: bytes) -> Said:
    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        writer.write(answer)

    return say


def discovered(say: Said) -> Said:
    """What it says once it was found to be of today's era."""

    async def discovered(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        if asked["method"] == "server/discover":
            writer.write(result(asked, resultType="complete", supportedVersions=["2026-07-28"]))
        else:
            await say(writer, headers, asked)

    return discovered


def serving(tools: list[Any], answers: Mapping[str, Any]) -> Said:
    """It has these tools, which answer so by name."""

    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        told = {"tools": tools} if asked["method"] == "tools/list" else answers[asked["params"]["name"]]
        writer.write(result(asked, resultType="complete", **told))

    return discovered(say)
