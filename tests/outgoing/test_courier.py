"""The courier goes where it may, to the very address that was judged, and is held up by nobody."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from codetether_adapters.outgoing import courier as outgoing
from codetether_adapters.outgoing.allowing import Allowed, allowed
from codetether_adapters.outgoing.courier import open_courier
from codetether_core.errors import Busy, Invalid, Unavailable
from codetether_core.ports import Courier
from tests.outgoing.receiver import HANG, SLAM, Taken, answer, open_receiver
from tests.servers.tls import Authority

pytestmark = pytest.mark.anyio

LOOPBACK = allowed(["127.0.0.0/8"])
PATIENCE = timedelta(seconds=20)
SHORT = timedelta(milliseconds=100)


class Names:
    """A resolver that says, time after time, what it was told to."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = [*answers]
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def courier(
    *answers: Sequence[str], known: Allowed = LOOPBACK, context: ssl.SSLContext | None = None
) -> AbstractAsyncContextManager[Courier]:
    return open_courier(known, resolve=Names(*answers) if answers else None, context=context)


async def test_it_brings_what_it_is_given() -> None:
    async with open_receiver(lambda taken: 204) as receiver, courier(["127.0.0.1"]) as going:
        url = f"http://hooks.example:{receiver.port}/a%20b?c=d"
        assert await going.deliver(url, {"X-One": "1", "Content-Type": "text/plain"}, b"hello", PATIENCE) == 204
        (taken,) = receiver.taken
        assert (taken.path, taken.body) == ("/a%20b?c=d", b"hello")
        assert taken.headers["host"] == f"hooks.example:{receiver.port}"
        assert taken.headers["x-one"] == "1" and taken.headers["content-length"] == "5"
        assert not {"user-agent", "accept", "cookie", "authorization"} & {*taken.headers}


async def test_a_name_is_judged_by_what_it_is_now() -> None:
    """It was anybody's when it was looked at, and is ours when the request is to be made: no connection is."""
    async with open_receiver() as receiver, courier(["93.184.215.14"], ["127.0.0.1"], known=allowed([])) as going:
        url = f"http://rebinding.example:{receiver.port}/"
        await going.check("url", url)
        with pytest.raises(Invalid) as refused:
            await going.deliver(url, {}, b"", PATIENCE)
        assert refused.value.field == "url" and "127" not in str(refused.value)
        assert not receiver.taken


async def test_it_connects_to_the_address_that_was_judged() -> None:
    """The resolver is asked once: it has no chance to say something else."""
    names = Names(["127.0.0.1"], ["127.9.9.9"])
    async with open_receiver() as receiver, open_courier(LOOPBACK, resolve=names) as going:
        assert await going.deliver(f"http://one.example:{receiver.port}/", {}, b"", PATIENCE) == 200
        assert names.asked == [("one.example", receiver.port)]


@pytest.mark.parametrize("found", [["93.184.215.14", "127.0.0.1"], ["::1"], ["fe80::1%lo"], ["not an address"]])
async def test_all_of_a_names_addresses_have_to_be_everybodys(found: Sequence[str]) -> None:
    async with courier(found, known=allowed([])) as going:
        with pytest.raises(Invalid, match="must lead to public addresses only"):
            await going.check("configuration.url", "https://mixed.example/")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost:1/", "https://[::1]/", "http://169.254.169.254/latest", "http://127.1/"],
)
async def test_this_machines_own_resolver_is_no_way_around(url: str) -> None:
    async with courier(known=allowed([])) as going:
        with pytest.raises(Invalid):
            await going.check("url", url)
        with pytest.raises(Invalid):
            await going.deliver(url, {}, b"", PATIENCE)


@pytest.mark.parametrize("url", ["ftp://a/", "http:///", "file:///etc/passwd", "http://u:p@a/", "http://a:99999/", "a"])
async def test_what_is_no_url_of_ours(url: str) -> None:
    async with courier(["93.184.215.14"]) as going:
        with pytest.raises(Invalid):
            await going.check("url", url)


async def test_a_name_without_an_address_may_have_one_later() -> None:
    async with courier(known=allowed([])) as going:
        await going.check("url", "http://nowhere.invalid/")
        with pytest.raises(Unavailable, match="no address"):
            await going.deliver("http://nowhere.invalid/", {}, b"", PATIENCE)


async def test_exceptions_are_by_host_and_port_too() -> None:
    async with open_receiver() as receiver:
        known = allowed([f"hooks.example:{receiver.port}"])
        async with courier(["127.0.0.1"], known=known) as going:
            assert await going.deliver(f"http://hooks.example:{receiver.port}/", {}, b"", PATIENCE) == 200
            with pytest.raises(Invalid):
                await going.check("url", f"http://hooks.example:{receiver.port + 1}/")


async def test_the_next_address_is_tried_where_nobody_takes_the_connection() -> None:
    async with open_receiver() as receiver, courier(["127.0.0.2", "127.0.0.1"]) as going:
        assert await going.deliver(f"http://two.example:{receiver.port}/", {}, b"once", PATIENCE) == 200
        assert [taken.body for taken in receiver.taken] == [b"once"]


async def test_nobody_is_followed() -> None:
    """A redirection is an answer as any other, wherever it leads."""

    def redirect(taken: Taken) -> bytes:
        return answer(302, location="http://127.0.0.1:1/")

    async with open_receiver(redirect) as receiver, courier() as going:
        assert await going.deliver(receiver.url, {}, b"", PATIENCE) == 302
        assert len(receiver.taken) == 1


@pytest.mark.parametrize("said", [SLAM, b"SMTP ready\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000])
async def test_what_is_no_answer(said: bytes) -> None:
    async with open_receiver(lambda taken: said) as receiver, courier() as going:
        with pytest.raises(Unavailable, match="There was no answer"):
            await going.deliver(receiver.url, {}, b"", PATIENCE)


async def test_who_hangs_is_left() -> None:
    async with open_receiver(lambda taken: HANG) as receiver, courier() as going:
        with pytest.raises(Unavailable, match=r"within 0\.1 seconds"):
            await going.deliver(receiver.url, {}, b"", SHORT)


async def test_a_turn_is_waited_for_apart_from_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "_AT_ONCE", 1)
    heard = asyncio.Event()

    def hang(taken: Taken) -> bytes:
        heard.set()
        return HANG

    async with open_receiver(hang) as receiver, courier() as going:
        first = asyncio.create_task(going.deliver(receiver.url, {}, b"", PATIENCE))
        await heard.wait()
        with pytest.raises(Busy):
            await going.deliver(receiver.url, {}, b"", SHORT)
        first.cancel()
        await asyncio.wait([first])
        with pytest.raises(Unavailable, match="There was no answer"):
            await going.deliver(receiver.url, {}, b"", SHORT)


async def test_a_name_that_takes_long_to_look_up_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "_LOOKING_UP", 0.01)

    async def never(host: str, port: int) -> Sequence[str]:
        return await asyncio.get_running_loop().create_future()

    async with open_courier(LOOPBACK, resolve=never) as going, asyncio.timeout(30):
        await going.check("url", "http://slow.example/")


async def test_nobody_reads_what_else_is_said() -> None:
    """However much that is, or never comes."""
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n" + b"x" * 1_000_000
    async with open_receiver(lambda taken: endless) as receiver, courier() as going:
        assert await going.deliver(receiver.url, {}, b"", PATIENCE) == 200


async def test_over_tls_the_certificate_has_to_be_the_names(tmp_path: Path) -> None:
    """Not the address's: that is none of the owner's."""
    authority = Authority(tmp_path / "authority")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", "192.0.2.1", also=[x509.DNSName("hooks.example")]))
    trusting = ssl.create_default_context(cafile=str(authority.ca))
    async with open_receiver(context=context) as receiver, courier(["127.0.0.1"], context=trusting) as going:
        assert await going.deliver(f"https://hooks.example:{receiver.port}/", {}, b"", PATIENCE) == 200
        with pytest.raises(Unavailable, match="certificate"):
            await going.deliver(f"https://other.example:{receiver.port}/", {}, b"", PATIENCE)


async def test_no_connection_is_used_under_another_name(tmp_path: Path) -> None:
    """Whoever shares an address with somebody does not get what is meant for him."""
    authority = Authority(tmp_path / "authority")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", "192.0.2.1", also=[x509.DNSName("mine.example")]))
    trusting = ssl.create_default_context(cafile=str(authority.ca))
    kept = b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n"
    async with open_receiver(lambda _: kept, context=context) as receiver:
        async with courier(["127.0.0.1"], context=trusting) as going:
            assert await going.deliver(f"https://mine.example:{receiver.port}/", {}, b"", PATIENCE) == 200
            with pytest.raises(Unavailable):
                await going.deliver(f"https://yours.example:{receiver.port}/", {}, b"", PATIENCE)
        assert len(receiver.taken) == 1
