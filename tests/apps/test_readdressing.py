"""What a server says of where it is, to clients who have it at another address."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from codetether_apps.serving.readdressing import Document, challenged, document_at

ADDRESS = "https://gate.example/team"
RPC = "/mcp/v1/rpc"
METADATA = "/.well-known/oauth-protected-resource"
HERE = Document(METADATA, f"{ADDRESS}{RPC}")


async def told(document: Document, *chunks: bytes) -> bytes:
    async def coming() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return b"".join([chunk async for chunk in document.readdressed(coming())])


@pytest.mark.parametrize(
    ("path", "there", "endpoint"),
    [
        (METADATA, METADATA, RPC),
        (f"{METADATA}/team{RPC}", METADATA, RPC),
        (f"{METADATA}/team/mcp", METADATA, "/mcp"),
        (f"{RPC}/server-card", f"/api{RPC}/server-card", RPC),
        ("/mcp/server-card", "/api/mcp/server-card", "/mcp"),
        ("/.well-known/mcp/catalog.json", "/.well-known/mcp/catalog.json", RPC),
    ],
)
def test_a_document_is_about_the_endpoint_that_clients_have(path: str, there: str, endpoint: str) -> None:
    assert document_at(path, ADDRESS, "/api") == Document(there, f"{ADDRESS}{endpoint}")


@pytest.mark.parametrize("path", [f"{METADATA}{RPC}", f"{METADATA}/api{RPC}", f"/api{RPC}/server-card", RPC, "/"])
def test_what_is_elsewhere_is_none(path: str) -> None:
    assert document_at(path, ADDRESS, "/api") is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"resource": "http://in.test/mcp", "scopes": 1}, {"resource": f"{ADDRESS}{RPC}", "scopes": 1}),
        ({"remotes": [{"url": "http://in.test/mcp", "a": 1}]}, {"remotes": [{"url": f"{ADDRESS}{RPC}", "a": 1}]}),
        ({"entries": [{"url": "http://in.test/c"}, 1]}, {"entries": [{"url": f"{ADDRESS}{RPC}/server-card"}, 1]}),
        ({"type": "about:blank", "status": 404}, {"type": "about:blank", "status": 404}),
        ({"resource": None}, {"resource": None}),
        ([], []),
    ],
)  # fmt: skip
async def test_addresses_in_it_are_ours_and_all_else_is_the_servers(said: Any, meant: Any) -> None:
    body = json.dumps(said).encode()
    assert json.loads(await told(HERE, body[:7], body[7:])) == meant


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff"])
async def test_what_is_no_json_stays_as_it_is(body: bytes) -> None:
    assert await told(HERE, body) == body


def test_a_challenge_names_our_metadata_and_is_the_servers_otherwise() -> None:
    said = b'Bearer realm="r", resource_metadata="http://in.test/x", scope="openid"'
    meant = f'Bearer realm="r", resource_metadata="https://gate.example{METADATA}/team{RPC}", scope="openid"'
    assert challenged(said, f"{ADDRESS}{RPC}") == meant.encode()
    assert challenged(b'Bearer realm="r"', f"{ADDRESS}{RPC}") == b'Bearer realm="r"'
