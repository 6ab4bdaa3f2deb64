"""Values are read for whom and where they were encrypted, unchanged, or not at all."""

from __future__ import annotations

import asyncio
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from attrs import evolve, frozen
from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.ciphers import Aes, aes
from codetether_adapters.memory import open_backend
from codetether_core.access import Principal
from codetether_core.errors import NotConfigured, Undecipherable
from codetether_core.ids import TenantId
from codetether_core.ports import Backend, Cipher
from codetether_core.services import Encryption, NoCipher, Services, assemble
from tests.services.conftest import Dice, FakeClock

pytestmark = pytest.mark.anyio

A, B = TenantId("acme"), TenantId("bolt")
ADMIN = Principal(name="ann", tenant=A, roles=frozenset({"admin"}))
FIRST, SECOND = ("k1", bytes(range(32))), ("k2", bytes(range(1, 33)))
ROUNDS = st.tuples(st.binary(max_size=300), st.text(max_size=20))


@frozen
class Place:
    """One store, which servers with different keys open."""

    backend: Backend
    clock: FakeClock

    def services(self, *keys: tuple[str, bytes]) -> Services:
        cipher: Cipher = Aes(keys) if keys else NoCipher()
        return assemble(self.backend, self.clock, Dice(), cipher=cipher)

    def with_keys(self, *keys: tuple[str, bytes]) -> Encryption:
        return self.services(*keys).encryption


@asynccontextmanager
async def open_place() -> AsyncIterator[Place]:
    async with open_backend() as backend:
        yield Place(backend, FakeClock())


@given(value=ROUNDS)
def test_what_was_encrypted_is_read(value: tuple[bytes, str]) -> None:
    """By another process too, and never looks the same twice."""

    async def read() -> None:
        clear, context = value
        async with open_place() as place:
            sealed = await place.with_keys(FIRST).encrypt(A, clear, context)
            assert await place.with_keys(FIRST).decrypt(A, sealed, context) == clear
            assert await place.with_keys(FIRST).encrypt(A, clear, context) != sealed
            assert sealed.startswith("ct1.key-000001.")

    asyncio.run(read())


@given(value=ROUNDS, data=st.data())
def test_a_bit_that_was_flipped_is_seen(value: tuple[bytes, str], data: st.DataObject) -> None:
    async def flip() -> None:
        clear, context = value
        async with open_place() as place:
            encryption = place.with_keys(FIRST)
            head, _, text = (await encryption.encrypt(A, clear, context)).rpartition(".")
            sealed = bytearray(urlsafe_b64decode(text))
            bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
            sealed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(Undecipherable):
                await encryption.decrypt(A, f"{head}.{urlsafe_b64encode(sealed).decode()}", context)
            cut = data.draw(st.integers(0, len(sealed) - 1))
            with pytest.raises(Undecipherable):
                await encryption.decrypt(A, f"{head}.{urlsafe_b64encode(sealed[:cut]).decode()}", context)

    asyncio.run(flip())


@given(value=ROUNDS, other=st.text(max_size=20))
def test_it_belongs_to_one_tenant_place_and_key(value: tuple[bytes, str], other: str) -> None:
    async def elsewhere() -> None:
        clear, context = value
        async with open_place() as place:
            encryption = place.with_keys(FIRST)
            sealed = await encryption.encrypt(A, clear, context)
            await encryption.encrypt(B, clear, context)  # so that it has a key of the same name
            with pytest.raises(Undecipherable):
                await encryption.decrypt(B, sealed, context)
            if other != context:
                with pytest.raises(Undecipherable):
                    await encryption.decrypt(A, sealed, other)
            await place.services(FIRST).rotating.rotate(ADMIN, data_key=True)
            with pytest.raises(Undecipherable):
                await encryption.decrypt(A, sealed.replace("key-000001", "key-000002"), context)
            with pytest.raises(Undecipherable, match="key-000003 is missing"):
                await encryption.decrypt(A, sealed.replace("key-000001", "key-000003"), context)

    asyncio.run(elsewhere())


@pytest.mark.parametrize("text", ["", "clear", "ct1.key-000001.", "ct2.key-000001.AAAA", "ct1.key-000001.A"])
async def test_what_was_never_encrypted_is_refused(text: str) -> None:
    async with open_place() as place:
        encryption = place.with_keys(FIRST)
        await encryption.encrypt(A, b"", "")
        with pytest.raises(Undecipherable):
            await encryption.decrypt(A, text, "")


async def test_a_key_that_is_missing_is_named() -> None:
    """Or told to be another one of the same name."""
    async with open_place() as place:
        sealed = await place.with_keys(FIRST).encrypt(A, b"hush", "here")
        with pytest.raises(NotConfigured, match="k1 is missing") as refused:
            await place.with_keys(SECOND).decrypt(A, sealed, "here")
        assert "k1:… to CODETETHER_ENCRYPTION_KEYS" in refused.value.hint
        with pytest.raises(Undecipherable, match="cannot be read with the key k1"):
            await place.with_keys(("k1", SECOND[1])).decrypt(A, sealed, "here")
        for attempt in (place.with_keys().decrypt(A, sealed, "here"), place.with_keys().encrypt(A, b"", "")):
            with pytest.raises(NotConfigured, match="no key"):
                await attempt


@pytest.mark.parametrize("wrapped", ["A", "é", "", "AAAA", "A" * 80])
async def test_a_data_key_that_is_damaged_is_named(wrapped: str) -> None:
    """With its tenant and what to do, whoever comes upon it: reading, writing or rotating."""
    async with open_place() as place:
        sealed = await place.with_keys(FIRST).encrypt(A, b"hush", "here")
        (kept,) = await place.backend.data_keys.list(A)
        await place.backend.data_keys.replace(kept, evolve(kept, wrapped=wrapped, version=2))
        services = place.services(SECOND, FIRST)
        for attempt in (
            services.encryption.decrypt(A, sealed, "here"),
            services.encryption.encrypt(A, b"", "here"),
            services.rotating.rotate(ADMIN),
        ):
            with pytest.raises(
                Undecipherable, match="data key key-000001 of the tenant acme cannot be read"
            ) as refused:
                await attempt
            assert refused.value.details == {"key": "key-000001", "tenant": "acme"}
            assert "restore from a backup" in refused.value.hint


@given(parts=st.lists(st.text(max_size=4), max_size=4), others=st.lists(st.text(max_size=4), max_size=4))
def test_places_are_told_apart_wherever_their_names_end(parts: list[str], others: list[str]) -> None:
    async def elsewhere() -> None:
        async with open_place() as place:
            encryption = place.with_keys(FIRST)
            sealed = await encryption.encrypt(A, b"hush", *parts)
            for other in (others, [" ".join(parts)], "".join(parts).split("1")):
                if other != parts:
                    with pytest.raises(Undecipherable):
                        await encryption.decrypt(A, sealed, *other)

    asyncio.run(elsewhere())


def test_values_are_encrypted_as_the_rfc_says() -> None:
    """AES-256-GCM-SIV, which many values under one key may be (RFC 8452, C.2); the nonce before it."""
    key, nonce = bytes([1]) + bytes(31), bytes([3]) + bytes(11)
    sealed = Aes([FIRST]).encrypt(key, bytes([1]) + bytes(7), b"", nonce)
    assert sealed.hex() == nonce.hex() + "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"


def test_a_program_that_cannot_encrypt_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """One with an OpenSSL that is too old."""

    def unknown(_: bytes) -> None:
        raise UnsupportedAlgorithm("AES-GCM-SIV is not supported by this version of OpenSSL")

    monkeypatch.setattr(aes, "AESGCMSIV", unknown)
    with pytest.raises(NotConfigured, match=r"OpenSSL before 3\.2"):
        Aes([FIRST]).encrypt(b"another key, which is long enough", b"", b"", bytes(12))


async def test_replicas_that_begin_at_once_share_a_key() -> None:
    async with open_place() as place:
        replicas = [place.with_keys(FIRST) for _ in range(8)]
        sealed = await asyncio.gather(*(each.encrypt(A, b"x", "c") for each in replicas))
        assert [key.id for key in await place.backend.data_keys.list(A)] == ["key-000001"]
        for each in replicas:
            assert {await each.decrypt(A, text, "c") for text in sealed} == {b"x"}


async def test_a_key_that_came_under_another_needs_the_first_no_longer() -> None:
    """What it encrypted stays as it is."""
    async with open_place() as place:
        old = await place.with_keys(FIRST).encrypt(A, b"old", "c")
        both = place.services(SECOND, FIRST)
        assert evolve(await both.rotating.rotate(ADMIN), added=None).rewrapped == 1
        assert (await both.rotating.rotate(ADMIN)).rewrapped == 0
        assert await place.with_keys(SECOND).decrypt(A, old, "c") == b"old"
        with pytest.raises(NotConfigured, match="k2 is missing"):
            await place.with_keys(FIRST).decrypt(A, old, "c")


async def test_a_new_data_key_is_used_by_every_replica_soon() -> None:
    """By who made it at once, and each reads what the others wrote."""
    async with open_place() as place:
        first, second = place.services(FIRST), place.services(FIRST)
        await second.encryption.encrypt(A, b"", "c")
        assert (await first.rotating.rotate(ADMIN, data_key=True)).added == "key-000002"
        new = await first.encryption.encrypt(A, b"new", "c")
        assert "key-000002" in new
        assert await second.encryption.decrypt(A, new, "c") == b"new"
        place.clock.at += timedelta(seconds=10)
        assert "key-000002" in await second.encryption.encrypt(A, b"", "c")


async def test_a_secret_is_told_nowhere() -> None:
    """Not by what is printed of a key that is open, nor by a kept one."""
    async with open_place() as place:
        encryption = place.with_keys(FIRST)
        await encryption.encrypt(A, b"", "c")
        opened = await encryption.keys.last(A)
        (kept,) = await place.backend.data_keys.list(A)
        assert str(opened.key) not in repr(opened)
        assert kept.wrapped not in repr(kept)
        assert secrets.compare_digest(opened.key, (await encryption.keys.get(A, kept.id)).key)
