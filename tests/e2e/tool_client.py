"""An agent that uses a tool, with the protocol's own library: the names of those that it finds, and what one says."""

from __future__ import annotations

import os
import sys

import anyio
import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client


async def use(era: str, name: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['CODETETHER_MCP_TOKEN']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(os.environ["CODETETHER_MCP_URL"], http_client=http)
        async with Client(transport, mode=era) as client:
            print(*(tool.name for tool in (await client.list_tools()).tools))
            result = await client.call_tool(name, {"words": "hello"})
            print("failed" if result.is_error else "ok", getattr(result.content[0], "text", ""))


anyio.run(use, sys.argv[1], sys.argv[2])
