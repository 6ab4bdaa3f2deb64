"""Reading from a real vault: who we are there, what it has, and what is said when it has not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from codetether_adapters.vault import AppRole, GivenToken, Kubernetes, Login, open_vault
from codetether_core.errors import NotFound, PermissionDenied, Unavailable
from tests.e2e.programs import until
from tests.secrets.kubernetes import kubernetes_login, service_account_token
from tests.servers.vault import Role, VaultServer

TTL = 3600


@pytest.fixture
def path(vault: VaultServer) -> str:
    """Where one secret is, under ``store``, beside a number."""
    path = f"team/{token_hex(6)}"
    vault.put(path, store="hush-hush", port=5432)
    return path


def by(role: Role) -> AppRole:
    return AppRole(role.role_id, role.secret_id, role.mount)


async def read(vault: VaultServer, login: Login, name: str) -> str:
    async with open_vault(vault.url, login) as source:
        return await source.read(name)


class Time:
    """A clock that somebody sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_with_a_token(vault: VaultServer, path: str) -> None:
    assert await read(vault, GivenToken(vault.token()), f"secret/{path}#store") == "hush-hush"


async def test_by_a_role(vault: VaultServer, path: str) -> None:
    assert await read(vault, by(vault.role()), f"secret/{path}#store") == "hush-hush"


async def test_by_a_role_that_needs_no_secret(vault: VaultServer, path: str) -> None:
    role = vault.role()
    vault.ask("POST", f"auth/{role.mount}/role/app", bind_secret_id=False, secret_id_bound_cidrs=["127.0.0.0/8"])
    assert await read(vault, AppRole(role.role_id, None, role.mount), f"secret/{path}#store") == "hush-hush"


async def test_as_a_pod(vault: VaultServer, path: str, tmp_path: Path) -> None:
    """The file is read each time: Kubernetes puts another token there. Another service account is not let in."""
    file = tmp_path / "token"
    with kubernetes_login(vault, tmp_path) as mount:
        login = Kubernetes("app", file, mount)
        async with open_vault(vault.url, login) as source:
            with pytest.raises(PermissionDenied, match=f"{file} cannot be read: No such file"):
                await source.read(f"secret/{path}#store")
            file.write_text(f"{service_account_token('other')}\n")
            with pytest.raises(PermissionDenied, match=f"does not let us in by Kubernetes at auth/{mount}"):
                await source.read(f"secret/{path}#store")
            file.write_text(f"{service_account_token('app')}\n")
            assert await source.read(f"secret/{path}#store") == "hush-hush"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("secret/{path}#stoer", "has no text under stoer: it has port, store"),
        ("secret/{path}#port", "has no text under port"),
        ("secret/{path}x#store", "put it there, in a key-value store of version 2: secret/data/team/"),
        ("nowhere/{path}#store", "no handler for route"),
    ],
)
async def test_what_is_not_there(vault: VaultServer, path: str, name: str, hint: str) -> None:
    """It says what there is instead, by name only."""
    role = vault.role(token_policies=[vault.policy("*")])
    with pytest.raises(NotFound) as caught:
        await read(vault, by(role), name.format(path=path))
    assert caught.value.code == "secret_not_found"
    assert hint in caught.value.hint
    assert "hush-hush" not in f"{caught.value} {caught.value.hint}"


async def test_what_was_deleted(vault: VaultServer, path: str) -> None:
    vault.ask("DELETE", f"secret/data/{path}")
    with pytest.raises(NotFound) as caught:
        await read(vault, by(vault.role()), f"secret/{path}#store")
    assert caught.value.hint == "its newest version is deleted"


async def test_in_a_namespace(vault: VaultServer) -> None:
    """Each has stores of its own; one that there is not is named as such."""
    space = f"team-{token_hex(4)}"
    vault.ask("POST", f"sys/namespaces/{space}")
    vault.ask("POST", f"{space}/sys/mounts/kv", type="kv", options={"version": "2"})
    vault.ask("POST", f"{space}/kv/data/x", data={"store": "there"})
    token = GivenToken(vault.token(policies=["root"]))
    async with open_vault(vault.url, token, namespace=space) as source:
        assert await source.read("kv/x#store") == "there"
    async with open_vault(vault.url, token, namespace="nowhere") as source:
        with pytest.raises(NotFound) as caught:
            await source.read("kv/x#store")
    assert "namespace not found" in caught.value.hint


@pytest.mark.parametrize("way", ["token", "role"])
async def test_what_is_not_for_us(vault: VaultServer, path: str, way: str) -> None:
    """Whoever is known there is not signed in again for a mere no."""
    policies = [vault.policy("secret/data/other/*")]
    role = vault.role(token_policies=policies)
    login = by(role) if way == "role" else GivenToken(vault.token(policies=policies))
    with pytest.raises(PermissionDenied) as caught:
        await read(vault, login, f"secret/{path}#store")
    assert f"its policies must let us read secret/data/{path}" in caught.value.hint
    assert len(vault.issued(role)) == (way == "role")


@pytest.mark.parametrize("wrong", ["role_id", "secret_id"])
async def test_a_role_that_is_not_let_in(vault: VaultServer, path: str, wrong: str) -> None:
    """The next step names our settings; neither part is repeated."""
    role = vault.role()
    login = AppRole(**{"role_id": role.role_id, "secret_id": role.secret_id, wrong: "wr0ng"}, mount=role.mount)
    with pytest.raises(PermissionDenied) as caught:
        await read(vault, login, f"secret/{path}#store")
    told = f"{caught.value} {caught.value.hint}"
    assert "CODETETHER_VAULT_ROLE_ID" in told
    assert not any(secret in told for secret in ("wr0ng", role.role_id, role.secret_id))


@pytest.mark.parametrize("token", ["nobody-knows-it", "two\nlines", "bäd"])
async def test_a_token_that_nobody_knows(vault: VaultServer, path: str, token: str) -> None:
    """It is not repeated, whatever is wrong with it."""
    with pytest.raises(PermissionDenied) as caught:
        await read(vault, GivenToken(token), f"secret/{path}#store")
    assert not any(part in f"{caught.value!r} {caught.value.hint}" for part in token.split())


async def test_one_that_is_away() -> None:
    """Nobody is there, or somebody else is."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with open_vault(f"http://127.0.0.1:{port}", GivenToken("hush-hush")) as source:
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port} does not answer") as caught:
            await source.read("secret/x#y")
    assert "CODETETHER_VAULT_ADDR" in caught.value.hint
    assert "hush-hush" not in repr(source)


async def test_one_that_is_sealed(path: str) -> None:
    """That is a matter of time."""
    with fresh_vault() as sealed:
        sealed.put(path, store="hush-hush")
        async with open_vault(sealed.url, by(sealed.role())) as source:
            sealed.seal()
            with pytest.raises(Unavailable, match="is sealed"):
                await source.read(f"secret/{path}#store")
            sealed.unseal()
            assert await source.read(f"secret/{path}#store") == "hush-hush"


async def test_a_token_is_renewed_after_two_thirds_of_its_time(vault: VaultServer, path: str) -> None:
    role, time = vault.role(), Time()
    async with open_vault(vault.url, by(role), now=time) as source:
        await source.keep()
        assert not vault.issued(role)  # nobody has asked for anything yet
        await source.read(f"secret/{path}#store")
        time.now += TTL * 0.6
        await source.keep()
        (issued,) = vault.issued(role)
        assert "last_renewal" not in issued
        time.now += TTL * 0.1
        await source.keep()
        (renewed,) = vault.issued(role)
        assert "last_renewal" in renewed
        assert renewed["accessor"] == issued["accessor"]
        time.now += TTL * 0.6  # counted from there
        await source.keep()
        (still,) = vault.issued(role)
        assert still["last_renewal"] == renewed["last_renewal"]


@pytest.mark.parametrize(
    "over", [{"token_ttl": 600, "token_max_ttl": 600}, {"token_type": "batch"}, {"revoked": True}], ids=str
)
async def test_one_that_cannot_be_renewed_is_followed_by_another(
    vault: VaultServer, path: str, over: dict[str, Any]
) -> None:
    """It is near its very end, of a kind that is not renewed, or gone."""
    batch = {"token_type": "batch"} if "token_type" in over else {}
    role, time = vault.role(**batch), Time()
    async with open_vault(vault.url, by(role), now=time) as source:
        await source.read(f"secret/{path}#store")
        before = {each["accessor"] for each in vault.issued(role)}
        if "revoked" in over:
            vault.revoke(role)
        elif "token_ttl" in over:
            vault.ask("POST", f"auth/{role.mount}/role/app", **over)
        vault.ask("POST", f"auth/{role.mount}/role/app", token_type="service", token_num_uses=0)
        time.now += TTL * 0.7
        await source.keep()
        assert {each["accessor"] for each in vault.issued(role)} - before
        assert await source.read(f"secret/{path}#store") == "hush-hush"


async def test_one_that_has_run_out_is_followed_by_another(vault: VaultServer, path: str) -> None:
    """Nobody kept it; the next one who reads signs in."""
    role = vault.role(token_ttl="1s", token_max_ttl="1s")
    async with open_vault(vault.url, by(role)) as source:
        await source.read(f"secret/{path}#store")
        until(lambda: not vault.issued(role), "the token's end")
        assert await source.read(f"secret/{path}#store") == "hush-hush"


async def test_a_given_token_is_renewed_too(vault: VaultServer, path: str) -> None:
    token, time = vault.token(), Time()
    async with open_vault(vault.url, GivenToken(token), now=time) as source:
        await source.read(f"secret/{path}#store")
        time.now += TTL * 0.7
        await source.keep()
    assert "last_renewal" in vault.ask("POST", "auth/token/lookup", token=token)["data"]


async def test_a_given_token_that_cannot_be_renewed_is_told_of_once(vault: VaultServer, path: str) -> None:
    token, time = vault.token(renewable=False), Time()
    async with open_vault(vault.url, GivenToken(token), now=time) as source:
        await source.read(f"secret/{path}#store")
        time.now += TTL * 0.7
        with pytest.raises(PermissionDenied, match="cannot be renewed") as caught:
            await source.keep()
        assert token not in f"{caught.value} {caught.value.hint}"
        time.now += TTL
        await source.keep()


async def test_one_that_never_ends_is_left_alone(vault: VaultServer, path: str) -> None:
    time = Time()
    async with open_vault(vault.url, GivenToken(vault.token(policies=["root"], ttl="0")), now=time) as source:
        await source.read(f"secret/{path}#store")
        time.now += 1e12
        await source.keep()


async def test_a_refused_sign_in_is_not_tried_again_at_once(vault: VaultServer, path: str) -> None:
    """A vault that is away meanwhile is asked again and again; one that said no, after a minute."""
    role, time = vault.role(), Time()
    async with open_vault(vault.url, by(role), now=time) as source:
        await source.read(f"secret/{path}#store")
        vault.ask("DELETE", f"sys/auth/{role.mount}")
        time.now += TTL * 0.7
        with pytest.raises(PermissionDenied):
            await source.keep()
        await source.keep()
        time.now += 61
        with pytest.raises(PermissionDenied):
            await source.keep()


@contextmanager
def fresh_vault() -> Iterator[VaultServer]:
    """One of the test's own."""
    server = VaultServer.start()
    try:
        yield server
    finally:
        server.close()
