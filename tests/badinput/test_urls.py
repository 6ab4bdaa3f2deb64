"""URLs that users give. There is one kind, where an agent can be reached; the server shows it and never dials it.

Codebases have no URL: their path is a directory of the worker's, and what a task says of one is held against the
worker's roots. What dials a URL one day is to judge the address that its name has then; see ``given_url``.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Final

import pytest

from codetether_adapters.memory import open_backend
from codetether_core.access import given_url
from codetether_core.errors import Invalid
from tests.http.resources.harness import Api, open_api

KEPT: Final = {
    "": "",
    "http://127.0.0.1:58100": "http://127.0.0.1:58100",
    "HTTPS://Agent.Example.:8443/A/b?c=d#e": "https://agent.example:8443/A/b?c=d#e",
    "http://any:secret@host/p@q": "http://host/p@q",
    "http://user@evil@host/": "http://host/",
    "any:secret@host": "host",
    "worker-1.internal:8000/below": "worker-1.internal:8000/below",
    "http://localhost": "http://localhost",
    "http://10.0.0.7:80": "http://10.0.0.7:80",
    "http://0.0.0.0:8000": "http://0.0.0.0:8000",
    "http://2130706433/": "http://127.0.0.1/",
    "http://0x7f.1/": "http://127.0.0.1/",
    "http://0177.0.0.01/": "http://127.0.0.1/",
    "http://127.1:080/": "http://127.0.0.1:80/",
    "http://[0:0:0:0:0:0:0:1]:80?x=1": "http://[::1]:80?x=1",
    "http://[2001:DB8::A]": "http://[2001:db8::a]",
    "http://[::ffff:10.0.0.1]/": "http://10.0.0.1/",
    "http://bücher.example/": "http://xn--bcher-kva.example/",
    "http://xn--bcher-kva.example/": "http://xn--bcher-kva.example/",
}  # fmt: skip
REFUSED: Final = (
    *("file:///etc/passwd", "javascript:alert(1)", "javascript://host/%0aalert(1)", "data:text/html,x", "gopher://h/"),
    *("ftp://host", "ext::sh -c id", "ssh://git@host/x", "git@host:team/repository.git", "--upload-pack=id", "ws://h"),
    *("http://", "http:///path", "http://:80", "//", "?x", "http://host:0", "http://host:65536", "http://host:8o"),
    *("http://host:80:80", "http://[::1", "http://::1/", "http://[fe80::1%25eth0]/", "http://[1.2.3.4]/", "http://[]/"),
    *("http://a b/", "http://a\tb/", "http://a\r\nX: y/", "http://a\0/", "http:\\\\evil\\", "http://good\\@evil/"),
    *("http://1.2.3.4.5/", "http://256.1.1.1/", "http://4294967296/", "http://1..1/", "http://08.0.0.1/", "http://a..b"),
    *("http://.a/", "http://-a/", "http://a%2eb/", f"http://{'a' * 64}/", f"http://{'a.' * 150}a/"),
    *("http://h/" + "x" * 2048, "http://[fe80::1]/"),
    *("http://169.254.169.254/latest", "http://0xa9fea9fe/", "http://2852039166/", "http://0251.0376.0251.0376/"),
    *("http://[::ffff:169.254.169.254]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:a9fe:a9fe::]/"),
    *("http://224.0.0.1/", "http://255.255.255.255/", "http://240.0.0.1/", "http://[ff02::1]/"),
    *("http://１６９.254.169.254/", "http://①②7.0.0.1/\u202e"),
)  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_it_is_kept_in_one_form(text: str) -> None:
    assert given_url("url", text) == KEPT[text]
    assert given_url("url", KEPT[text]) == KEPT[text]


@pytest.mark.parametrize("text", REFUSED)
def test_it_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        given_url("url", text)
    assert (refusal.value.field, bool(refusal.value.hint)) == ("url", True)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with open_backend("memory://") as backend, open_api(backend) as api:
        yield api


async def test_a_refused_one_registers_nobody(api: Api) -> None:
    """By either way in."""
    told = {"name": "a", "url": "file:///etc/passwd", "description": "d"}
    problem = await api.deployed.refused(422, "POST", "/v1/agent/agents", told)
    assert (problem["code"], problem["field"]) == ("invalid_request", "url")
    call = {"name": "register_agent", "arguments": told}
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    assert (await api.deployed.ok("POST", "/mcp/v1/rpc", rpc))["result"]["isError"]
    assert (await api.deployed.ok("GET", "/v1/agent/agents"))["count"] == 0


async def test_a_registered_one_is_never_dialled(api: Api) -> None:
    """Whatever is done with its agent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/agent"
        await api.deployed.ok("POST", "/v1/agent/agents", {"name": "a", "url": url})
        await api.deployed.ok("POST", "/v1/agent/agents/a/heartbeat")
        await api.deployed.ok("POST", "/v1/agent/messages", {"to": "a", "body": "b"})
        await api.task(target_agent_name="a")
        shown = [await api.deployed.ok("GET", "/v1/agent/agents/a")]
        shown += (await api.deployed.ok("GET", "/v1/agent/agents"))["agents"]
        await api.deployed.ok("DELETE", "/v1/agent/agents/a")
        assert {each["url"] for each in shown} == {url}
        with pytest.raises(BlockingIOError):
            listener.accept()
