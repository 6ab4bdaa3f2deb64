"""Signing in with a browser at a real provider: the whole way, and every way in which it is not that way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codetether_adapters.memory import open_backend
from codetether_adapters.oidc import ClaimMapping, Client, Seal
from tests.identity.browser import agree
from tests.identity.hub import CALLBACK, KEY, PUBLIC, Hub, open_hub
from tests.servers.identity import IdentityProvider, running

pytestmark = pytest.mark.anyio

A = "/v1/auth"
COOKIE = "__Host-ct_sign_in"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with running(tmp_path_factory.mktemp("identity")) as provider:
        yield provider


def changed(url: str, **parameters: str | None) -> str:
    """The address with other parameters; ``None``: without."""
    query = dict(parse_qsl(urlsplit(url).query)) | parameters
    return urlsplit(url)._replace(query=urlencode({k: v for k, v in query.items() if v is not None})).geturl()


async def test_whoever_signs_in_at_the_provider_is_signed_in_here(provider: IdentityProvider) -> None:
    """With the name and the roles that the provider's tokens give, for what is asked with the cookie alone."""
    async with open_hub(provider) as hub:
        url = await hub.begin("/tasks?open=1")
        asked = parse_qs(urlsplit(url).query)
        assert url.startswith(f"{provider.issuer}/auth?")
        assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
        assert (asked["client_id"], asked["redirect_uri"]) == (["hub"], [f"{PUBLIC}{CALLBACK}"])
        assert asked["scope"] == ["openid profile"]
        assert all(len(asked[name][0]) == 43 for name in ("state", "nonce", "code_challenge"))
        assert not any(asked[name][0] in hub.browser.cookies[COOKIE] for name in ("state", "nonce"))
        back = await hub.browser.get(await agree(hub.browser, url, name="ann.editor.other"))
        assert (back.status_code, back.headers["location"]) == (303, "/tasks?open=1")
        who = (await hub.get(f"{A}/session")).json()
        assert (who["username"], who["roles"], who["tenant_id"]) == (
            f"ann.editor.other@{provider.issuer}",
            ["editor"],
            "default",
        )
        ours = {"X-CSRF-Token": who["csrf_token"]}
        task = await hub.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}, headers=ours)
        assert task.json()["created_by"] == who["username"]
        assert (await hub.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"})).status_code == 403
        assert (await hub.post(f"{A}/logout", headers=ours)).status_code == 200
        assert (await hub.get(f"{A}/session")).status_code == 401


async def test_one_server_begins_and_another_finishes(provider: IdentityProvider) -> None:
    """Nothing is remembered between."""
    jar = httpx.Cookies()
    async with (
        open_backend() as backend,
        open_hub(provider, backend=backend, jar=jar) as one,
        open_hub(provider, backend=backend, jar=jar) as two,
    ):
        url = await agree(one.browser, await one.begin(), name="ann.editor")
        assert (await two.browser.get(url)).status_code == 303
        for hub in (one, two):
            assert (await hub.get(f"{A}/session")).status_code == 200


async def test_below_a_path(provider: IdentityProvider) -> None:
    async with open_hub(provider, below="/below") as hub:
        back = await hub.signed_in()
        assert (back.status_code, back.headers["location"]) == (303, "/tasks?open=1")
        assert (await hub.get(f"{A}/session")).json()["roles"] == ["editor"]
        elsewhere = await hub.browser.get(f"{PUBLIC}/v1/auth/session")
        assert elsewhere.status_code == 401  # the cookie is not sent there


Way: TypeAlias = Callable[[Hub, str], Awaitable[httpx.Response]]


async def finish(hub: Hub, url: str) -> httpx.Response:
    """Sign in at that address, and come back."""
    return await hub.browser.get(await agree(hub.browser, url, name="ann.editor"))


async def back_with(hub: Hub, url: str, **parameters: str | None) -> httpx.Response:
    """Come back with something else."""
    return await hub.browser.get(changed(await agree(hub.browser, url, name="ann.editor"), **parameters))


async def twice(hub: Hub, url: str) -> httpx.Response:
    back = await agree(hub.browser, url, name="ann.editor")
    assert (await hub.browser.get(back)).status_code == 303
    return await hub.browser.get(back)


async def twice_with_its_cookie(hub: Hub, url: str) -> httpx.Response:
    """A browser that keeps what it should forget: the provider knows the code."""
    kept = hub.browser.cookies[COOKIE]
    back = await agree(hub.browser, url, name="ann.editor")
    assert (await hub.browser.get(back)).status_code == 303
    hub.browser.cookies.set(COOKIE, kept, domain="hub.test")
    return await hub.browser.get(back)


async def without_its_cookie(hub: Hub, url: str) -> httpx.Response:
    back = await agree(hub.browser, url, name="ann.editor")
    hub.browser.cookies.delete(COOKIE)
    return await hub.browser.get(back)


async def with_the_cookie_of_a_later_one(hub: Hub, url: str) -> httpx.Response:
    back = await agree(hub.browser, url, name="ann.editor")
    await hub.begin()
    return await hub.browser.get(back)


async def with_the_code_of_another_browser(hub: Hub, url: str) -> httpx.Response:
    """Whose owner would have us work under the owner's name: it was not asked for with our verifier."""
    async with httpx.AsyncClient(mounts={PUBLIC: httpx.ASGITransport(hub.app)}) as other:
        there = await other.get(f"{PUBLIC}{A}/oidc/login")
        theirs = await agree(other, there.headers["location"], name="eve.admin")
    code = parse_qs(urlsplit(theirs).query)["code"][0]
    return await back_with(hub, url, code=code)


async def sealed_by_another_key(hub: Hub, url: str) -> httpx.Response:
    """All that is in it is right."""
    back = await agree(hub.browser, url, name="ann.editor")
    begun = Seal(KEY).open(hub.browser.cookies[COOKIE], dict[str, str])
    assert begun is not None and begun["state"] in back
    hub.browser.cookies.set(COOKIE, Seal(b"another" * 8).close(begun), domain="hub.test")
    return await hub.browser.get(back)


async def too_late(hub: Hub, url: str) -> httpx.Response:
    back = await agree(hub.browser, url, name="ann.editor")
    hub.clock.moved += timedelta(minutes=10)
    return await hub.browser.get(back)


async def refused_there(hub: Hub, url: str) -> httpx.Response:
    return await hub.browser.get(await agree(hub.browser, url, name="ann", allow=False))


WRONG: dict[str, tuple[Way, str]] = {
    "replayed": (twice, "sign_in_unknown"),
    "a code replayed": (twice_with_its_cookie, "sign_in_refused"),
    "no cookie": (without_its_cookie, "sign_in_unknown"),
    "a later one's cookie": (with_the_cookie_of_a_later_one, "sign_in_unknown"),
    "another key's cookie": (sealed_by_another_key, "sign_in_unknown"),
    "another state": (lambda hub, url: back_with(hub, url, state="x" * 43), "sign_in_unknown"),
    "a state that is no ASCII": (lambda hub, url: back_with(hub, url, state="é"), "sign_in_unknown"),
    "no state": (lambda hub, url: back_with(hub, url, state=None), "sign_in_unknown"),
    "another state there": (lambda hub, url: finish(hub, changed(url, state="x" * 43)), "sign_in_unknown"),
    "another nonce there": (lambda hub, url: finish(hub, changed(url, nonce="x" * 43)), "sign_in_unproven"),
    "no nonce there": (lambda hub, url: finish(hub, changed(url, nonce=None)), "sign_in_unproven"),
    "another challenge there": (
        lambda hub, url: finish(hub, changed(url, code_challenge="x" * 43)),
        "sign_in_refused",
    ),
    "too late": (too_late, "sign_in_expired"),
    "refused there": (refused_there, "sign_in_refused"),
    "another's code": (with_the_code_of_another_browser, "sign_in_refused"),
    "a code that is none": (lambda hub, url: back_with(hub, url, code="x"), "sign_in_refused"),
    "no code": (lambda hub, url: back_with(hub, url, code=None), "sign_in_refused"),
    "another provider": (lambda hub, url: back_with(hub, url, iss="https://evil.test"), "sign_in_unproven"),
    "another provider's error": (
        lambda hub, url: back_with(hub, url, iss="https://evil.test", code=None, error="access_denied"),
        "sign_in_unproven",
    ),
    "no provider": (lambda hub, url: back_with(hub, url, iss=None), "sign_in_unproven"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_was_not_asked_for_like_this_signs_nobody_in(provider: IdentityProvider, wrong: str) -> None:
    """And is told in words and by a code; what the browser kept for it is gone."""
    way, code = WRONG[wrong]
    async with open_hub(provider) as hub:
        refused = await way(hub, await hub.begin())
        assert (refused.status_code, refused.json()["code"]) == (401, code), refused.text
        assert refused.headers["content-type"] == "application/problem+json" and refused.json()["hint"]
        assert refused.headers.get_list("set-cookie") == [
            f"{COOKIE}=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly; Secure"
        ]
        assert COOKIE not in hub.browser.cookies


@settings(max_examples=40, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), put=st.sampled_from("AZaz09-_."))
async def test_a_cookie_that_was_changed_is_none(provider: IdentityProvider, at: float, put: str) -> None:
    """Wherever."""
    async with open_hub(provider) as hub:
        await hub.begin()
        kept = hub.browser.cookies[COOKIE]
        place = int(at * (len(kept) - 1))  # the last character has bits that say nothing
        if kept[place] == put:
            return
        spoilt = kept[:place] + put + kept[place + 1 :]
        refused = await hub.get(CALLBACK, headers={"Cookie": f"{COOKIE}={spoilt}"}, params={"code": "c", "state": ""})
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_unknown")


async def test_a_secret_that_is_wrong_and_a_client_that_is_unknown(provider: IdentityProvider) -> None:
    async with open_hub(provider, client=Client(id="hub", secret="wrong")) as hub:
        refused = await hub.signed_in()
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_refused")


async def test_who_has_no_tenant_where_everybody_needs_one(provider: IdentityProvider) -> None:
    """The same as with the provider's tokens."""
    async with open_hub(provider, mapping=ClaimMapping(tenant_at="org.tenant")) as hub:
        refused = await hub.signed_in()
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
        assert "org.tenant" in refused.json()["detail"]


async def test_a_provider_that_goes_away_meanwhile(tmp_path: Path) -> None:
    """Is said; it can be tried again when it is back."""
    with running(tmp_path) as provider:
        async with open_hub(provider) as hub:
            back = await agree(hub.browser, await hub.begin(), name="ann.editor")
            provider.stop()
            refused = await hub.browser.get(back)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            provider.start()
            assert (await hub.signed_in()).status_code == 303
        provider.stop()
        async with open_hub(provider) as hub:
            assert (await hub.get(f"{A}/oidc/login")).status_code == 503
