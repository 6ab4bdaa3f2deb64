"""A channel over Redis when something is wrong: at its opening it is said, later it costs time and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from codetether_adapters.redis import open_channel
from codetether_core.errors import CodeTetherError, Invalid, Unavailable
from codetether_core.ports import Channel
from tests.servers.debian import DEBIAN
from tests.servers.tls import Authority, gate
from tests.servers.valkey import Valkey, ValkeyCluster, fresh, own_cluster, own_server

pytestmark = pytest.mark.anyio

PATIENCE = 60.0


@contextmanager
def server(*settings: str) -> Iterator[Valkey]:
    own = Valkey(*settings)
    try:
        yield own.start()
    finally:
        own.close()


@asynccontextmanager
async def heard(channel: Channel) -> AsyncIterator[Callable[[], Awaitable[str | None]]]:
    """A way to the next thing that a channel tells."""
    async with aclosing(channel.hear()) as texts, asyncio.timeout(PATIENCE):
        yield lambda: anext(texts)


async def refusal(url: str) -> CodeTetherError:
    with pytest.raises(CodeTetherError) as caught:
        async with open_channel(url, "a"):
            pytest.fail("it opened")
    assert caught.value.hint
    return caught.value


async def until(call: Callable[[], Awaitable[object]], well: bool) -> None:
    """Call until it succeeds, or until it is ``Unavailable``."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await call()
            except Unavailable as error:
                assert error.hint
                if not well:
                    return
            else:
                if well:
                    return
            await asyncio.sleep(0.01)


async def say_until_heard(speaker: Channel, text: str, following: Callable[[], Awaitable[str | None]]) -> None:
    """Again and again, as what is said on the way may be lost."""

    async def say() -> None:
        while True:
            speaker.publish(text)
            await asyncio.sleep(0.01)

    saying = asyncio.create_task(say())
    while await following() != text:
        pass
    saying.cancel()
    await asyncio.wait([saying])


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("redis://", "names no server"),
        ("redis://h/0?nope=1", "not known: nope"),
        ("redis://h/0?shards=2", "only a store has"),
    ],
)
async def test_a_wrong_address_is_refused(url: str, problem: str) -> None:
    """Options of a store too, which would mean nothing here."""
    error = await refusal(url)
    assert isinstance(error, Invalid) and error.field == "notifier" and problem in error.problem


async def test_nobody_there() -> None:
    """It says where it looked; one server of several is enough."""
    with server() as gone:
        url = gone.url
    error = await refusal(url)
    assert isinstance(error, Unavailable) and "notifier" in error.message and str(gone.port) in error.message
    async with open_channel(f"redis+cluster://127.0.0.1:{gone.port},127.0.0.1:{own_cluster().masters[0].port}", "a"):
        pass


async def test_a_wrong_password_is_told_and_not_shown() -> None:
    """So is a missing one."""
    with server("--requirepass", "right") as locked:
        async with open_channel(locked.url.replace("//", "//:right@"), "a") as channel:
            await channel.ping()
        for url in (locked.url, locked.url.replace("//", "//:wrong@")):
            error = await refusal(url)
            assert isinstance(error, Unavailable) and "password" in error.hint and "wrong" not in error.message


async def test_rights_to_the_channels_are_all_that_is_needed() -> None:
    """A user who may not hear, or may not speak, is told so at once; one who may nothing else is fine."""
    with server() as own:
        url = own.url.replace("//", "//app:pw@")
        rights = ("+subscribe", "+ping", "+client|setname", *(() if DEBIAN else ("+client|setinfo",)))
        own.ask("ACL", "SETUSER", "app", "on", ">pw", "resetchannels", *rights)
        assert "ct:channel:*" in (await refusal(url)).hint
        own.ask("ACL", "SETUSER", "app", "&ct:channel:*")
        assert "ct:channel:*" in (await refusal(url)).hint
        own.ask("ACL", "SETUSER", "app", "+publish")
        async with open_channel(url, "a") as channel, heard(channel) as following:
            channel.publish("said")
            assert await following() == "said"


async def test_a_replica_is_refused() -> None:
    """Who speaks at the primary would not hear what is said there."""
    with server("--replicaof", f"127.0.0.1 {own_server().port}") as replica:
        error = await refusal(replica.url)
    assert isinstance(error, Unavailable) and "replica" in error.message and "primary" in error.hint


async def test_one_of_a_cluster_is_no_server_alone_and_the_other_way_round() -> None:
    """Each is told how to write the other."""
    one = await refusal(own_cluster().masters[0].url)
    assert isinstance(one, Invalid) and one.field == "notifier" and "redis+cluster://" in one.hint
    alone = await refusal(f"redis+cluster://127.0.0.1:{own_server().port}")
    assert isinstance(alone, Invalid) and "redis://" in alone.hint


async def test_several_deployments_share_a_server() -> None:
    """They are told apart by their scopes, and by a prefix if somebody wants to see which is whose."""
    url = own_server().url
    prefixed = fresh(url)
    async with open_channel(url, "one") as one, open_channel(prefixed, "one") as other:
        names = own_server().ask("PUBSUB", "CHANNELS", "*channel:one")
        assert {"ct:channel:one", f"{prefixed.rpartition('=')[2]}:channel:one"} <= {*names}
        other.publish("other")
        one.publish("one")
        async with heard(one) as following:
            assert await following() == "one"


async def test_a_server_that_comes_back_is_heard_again(caplog: pytest.LogCaptureFixture) -> None:
    """It is told that anything may have been missed; to speak meanwhile is no error and takes no time."""
    with server() as own, caplog.at_level(logging.INFO):
        async with (
            open_channel(own.url, "a") as speaker,
            open_channel(own.url, "a") as listener,
            heard(listener) as following,
            heard(speaker) as own_words,
        ):
            waiting = [asyncio.ensure_future(follow()) for follow in (following, own_words)]
            own.kill()
            for _ in range(3_000):
                speaker.publish("meanwhile")
            for channel in (listener, speaker):
                await until(channel.ping, well=False)
            own.start()
            assert await asyncio.gather(*waiting) == [None, None]
            for channel in (listener, speaker):
                await until(channel.ping, well=True)
            speaker.publish("again")
            while (text := await following()) != "again":
                assert text == "meanwhile"
        assert caplog.text.count("does not answer") == caplog.text.count("is heard again") == 2


async def test_leaving_does_not_wait_for_a_server_that_is_gone() -> None:
    """What could not be said is dropped."""
    with server() as own:
        async with asyncio.timeout(PATIENCE), open_channel(own.url, "a") as channel:
            own.kill()
            channel.publish("never")


async def test_a_cluster_that_loses_a_server_goes_on_through_another() -> None:
    """Whichever of the two connections were with the one that is gone."""
    cluster = ValkeyCluster()
    try:
        url = cluster.start().url
        async with open_channel(url, "a") as speaker, open_channel(url, "a") as listener, heard(listener) as following:
            await say_until_heard(speaker, "all there", following)
            for gone in (1, 0):
                cluster.masters[gone].kill()
                await say_until_heard(speaker, f"without {gone}", following)
    finally:
        cluster.close()


async def test_over_tls(tmp_path: Path) -> None:
    """With the authority that the address names, and never without."""
    authority = Authority(tmp_path / "authority")
    ca = authority.ca
    with gate(own_server().port, authority) as port:
        async with open_channel(f"rediss://127.0.0.1:{port}/0?ca={ca}", "a") as channel, heard(channel) as following:
            channel.publish("said")
            assert await following() == "said"
        error = await refusal(f"rediss://127.0.0.1:{port}/0")
        assert isinstance(error, Unavailable) and "ca, cert and key" in error.hint
