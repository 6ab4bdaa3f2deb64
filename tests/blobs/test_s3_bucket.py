"""What a real bucket does beyond the contract: links, encryption, damage, and every way to be refused."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote, urlsplit, urlunsplit

import minio.time
import pytest
import urllib3

from codetether_adapters.s3 import open_blobs
from codetether_core.artifacts import CHUNK, BlobDamaged, BlobId
from codetether_core.errors import Invalid, NotFound, Unavailable
from codetether_core.ports import BlobStore
from contracts.ports.blob_bytes import listed
from contracts.ports.samples import TENANT
from tests.servers.s3 import S3Server, shared_s3
from tests.servers.swift_process import ACCESS_KEY, SECRET_KEY

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
PREFIX = "team/pre fix"


@pytest.fixture(scope="session")
def server() -> S3Server:
    return shared_s3()


@pytest.fixture
async def blobs(server: S3Server) -> AsyncIterator[BlobStore]:
    async with open_blobs(server.url(prefix=quote(PREFIX))) as blobs:
        yield blobs


def key(id: BlobId) -> str:
    return f"{PREFIX}/{TENANT}/{id}"


async def read(blobs: BlobStore, id: BlobId) -> bytes:
    async with blobs.open(TENANT, id) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def refusal(url: str, environment: dict[str, str] | None = None) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        async with open_blobs(url, environment=environment):
            pytest.fail("it opened")
    assert caught.value.hint and SECRET_KEY not in f"{caught.value!r} {caught.value.hint}"
    return caught.value


async def test_a_blob_lies_below_the_prefix(server: S3Server, blobs: BlobStore) -> None:
    """Under its tenant, as one object, so that others find it without us."""
    id = await blobs.put(TENANT, b"data")
    assert server.client().stat_object(server.bucket, key(id)).size == 4


async def test_a_link_may_be_followed_by_anybody(blobs: BlobStore) -> None:
    """For this blob alone, and without the secret in it."""
    id = await blobs.put(TENANT, b"data")
    other = await blobs.put(TENANT, b"other")
    link = await blobs.url(TENANT, id, MINUTE)
    assert link is not None and SECRET_KEY not in link
    with urllib3.PoolManager() as http:
        assert http.request("GET", link).data == b"data"
        assert http.request("GET", link.replace(id, other)).status == 403
        assert http.request("GET", urlunsplit(urlsplit(link)._replace(query=""))).status >= 400
        assert http.request("DELETE", link).status == 403
    assert await blobs.size(TENANT, id) == 4


async def test_a_link_expires(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it says, by the server's clock."""
    id = await blobs.put(TENANT, b"data")
    now = minio.time.utcnow()
    monkeypatch.setattr(minio.time, "utcnow", lambda: now - 2 * MINUTE)
    old, living = await blobs.url(TENANT, id, MINUTE), await blobs.url(TENANT, id, 60 * MINUTE)
    assert old is not None and living is not None
    with urllib3.PoolManager() as http:
        assert http.request("GET", old).status == 403
        assert http.request("GET", living).data == b"data"


@pytest.mark.parametrize("expires", [timedelta(0), -MINUTE, timedelta(days=7, seconds=1)])
async def test_a_link_lives_for_seven_days_at_most(blobs: BlobStore, expires: timedelta) -> None:
    with pytest.raises(Invalid, match="seven days"):
        await blobs.url(TENANT, BlobId("0" * 64), expires)


@pytest.mark.parametrize("size", [5, 9 * 1024 * 1024])
async def test_the_store_encrypts_if_asked(server: S3Server, size: int) -> None:
    """With its own keys, what is uploaded whole and in parts; reading needs nothing more."""
    async with open_blobs(f"{server.url(prefix='sse')}&sse=s3") as blobs:
        id = await blobs.put(TENANT, b"x" * size)
        assert await read(blobs, id) == b"x" * size
    found = server.client().stat_object(server.bucket, f"sse/{TENANT}/{id}")
    assert (found.metadata or {})["x-amz-server-side-encryption"] == "AES256"


@pytest.mark.parametrize("harm", [b"", b"datA", b"dat", b"data" * CHUNK])
async def test_damage_is_found(server: S3Server, blobs: BlobStore, harm: bytes) -> None:
    """Somebody wrote over an object; putting the same again repairs it."""
    id = await blobs.put(TENANT, b"data")
    server.client().put_object(server.bucket, key(id), io.BytesIO(harm), len(harm))
    with pytest.raises(BlobDamaged):
        await read(blobs, id)
    assert await blobs.put(TENANT, b"data") == id
    assert await read(blobs, id) == b"data"


async def test_foreign_objects_are_no_blobs(server: S3Server, blobs: BlobStore) -> None:
    """Whatever else lies below the prefix is not listed."""
    id = await blobs.put(TENANT, b"foreign")
    for name in ("README", f"{id}.bak", "0", "deeper/file"):
        server.client().put_object(server.bucket, f"{PREFIX}/{TENANT}/{name}", io.BytesIO(b"x"), 1)
    found = await listed(blobs)
    assert id in found and all(len(name) == 64 for name in found)


async def test_keys_may_come_from_the_environment(server: S3Server) -> None:
    """If the URL has none; the region too."""
    url = f"s3+http://127.0.0.1:{server.port}/{server.bucket}/environment"
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    for region in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        async with open_blobs(url, environment={**keys, region: "test-region"}) as blobs:
            await blobs.ping()
    assert "region" in (await refusal(url, keys)).message
    with pytest.raises(Invalid, match="AWS_ACCESS_KEY_ID"):
        async with open_blobs(url):
            pytest.fail("it opened")


async def test_wrong_keys_are_refused(server: S3Server) -> None:
    """Either of them: the store does not say which."""
    for url in (server.url(key="ct:nobody"), server.url(secret="wrong")):
        error = await refusal(url)
        assert "key" in error.message and "correct both keys" in error.hint


async def test_a_missing_bucket_is_refused(server: S3Server) -> None:
    error = await refusal(server.url(bucket="nowhere"))
    assert "no such bucket" in error.message and "nowhere" in error.message and "make the bucket" in error.hint


async def test_a_wrong_region_is_refused(server: S3Server) -> None:
    error = await refusal(server.url().replace("test-region", "elsewhere"))
    assert "region is wrong" in error.message and "region=" in error.hint


async def test_a_wrong_clock_is_refused(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the middle of things, where the answer to a question for a size has no room for a reason."""
    async with open_blobs(server.url()) as blobs:
        now = minio.time.utcnow()
        monkeypatch.setattr(minio.time, "utcnow", lambda: now - 60 * MINUTE)
        for call in (blobs.put(TENANT, b"x"), blobs.size(TENANT, BlobId("0" * 64)), blobs.ping()):
            with pytest.raises(Unavailable) as caught:
                await call
            assert "clock" in caught.value.message and "set the clock" in caught.value.hint


async def test_a_bucket_that_went_is_not_a_missing_blob(server: S3Server) -> None:
    """Whoever asks is told of the bucket, not that there is no such blob."""
    client, missing = server.client(), BlobId("0" * 64)
    client.make_bucket("passing")
    async with open_blobs(server.url(bucket="passing")) as blobs:
        with pytest.raises(NotFound):
            await blobs.size(TENANT, missing)
        client.remove_bucket("passing")
        for call in (
            blobs.size(TENANT, missing),
            read(blobs, missing),
            blobs.delete(TENANT, missing),
            blobs.list(TENANT),
            blobs.put(TENANT, b"data"),
            blobs.ping(),
        ):
            with pytest.raises(Unavailable, match="no such bucket"):
                await call
