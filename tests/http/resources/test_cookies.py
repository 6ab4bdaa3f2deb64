"""Signed in by cookie: what a browser is given, for which requests that counts, and when it ends."""

from __future__ import annotations

import ssl
from base64 import b64encode
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from codetether_adapters.certificates import ClientCertificates
from codetether_core.access import CertificateName, CertificateRule, NameKind, Principal
from codetether_core.ports import Clock
from tests.http.coverage import covers
from tests.http.resources.browsers import (
    HOST,
    OURS,
    OVER_TLS,
    PASSWORD,
    A,
    SignedIn,
    account,
    at_home,
    browser_of,
    cookies_of,
    sign_in,
    stream_of,
)
from tests.http.resources.world import ok, open_world
from tests.servers.tls import Authority

# ------------------------------------------------------------------------------------------------- what is given


BELOW = {
    "__Secure-ct_session": "Path=/below; Max-Age=3600; SameSite=Lax; HttpOnly; Secure",
    "__Secure-ct_refresh": "Path=/below/v1/auth/refresh; Max-Age=2592000; SameSite=Strict; HttpOnly; Secure",
    "ct_csrf": "Path=/below; Max-Age=2592000; SameSite=Strict; Secure",
}
ON_THIS_MACHINE = {
    "ct_session": "Path=/; Max-Age=3600; SameSite=Lax; HttpOnly",
    "ct_refresh": "Path=/v1/auth/refresh; Max-Age=2592000; SameSite=Strict; HttpOnly",
    "ct_csrf": "Path=/; Max-Age=2592000; SameSite=Strict",
}


@pytest.mark.parametrize(
    ("asked", "settings", "expected"),
    [
        (HOST, {}, OVER_TLS),
        (f"{HOST}:8443", {}, OVER_TLS),
        (HOST, {"base_path": "/below"}, BELOW),
        (HOST, {"public_url": f"{HOST}/below/"}, BELOW),
        ("http://hub.test", {"public_url": HOST}, OVER_TLS),
        ("http://hub.test", {"public_url": "https://HUB.test:443"}, OVER_TLS),
        ("http://127.0.0.1:8000", {}, ON_THIS_MACHINE),
        ("http://localhost:8000", {}, ON_THIS_MACHINE),
        ("http://[::1]:8000", {}, ON_THIS_MACHINE),
    ],
)
async def test_a_browser_is_given_cookies_and_no_token(
    asked: str, settings: dict[str, Any], expected: dict[str, str]
) -> None:
    async with open_world() as world, at_home(world, **settings) as app, browser_of(app, asked) as browser:
        await account(world)
        answer = await sign_in(browser)
        told = ok(answer)
        assert cookies_of(answer) == expected
        assert answer.headers["cache-control"] == "no-store"
        assert "access_token" not in told and "refresh_token" not in told and "ct_sgn" not in answer.text
        kept = SimpleCookie("; ".join(line.partition(";")[0] for line in answer.headers.get_list("set-cookie")))
        assert kept["ct_csrf"].value == told["csrf_token"]


@pytest.mark.parametrize(
    ("asked", "settings", "headers", "status", "code"),
    [
        ("http://hub.test", {}, {}, 501, "not_configured"),
        ("http://10.0.0.1:8000", {}, {}, 501, "not_configured"),
        ("http://localhost.evil.test", {}, {}, 501, "not_configured"),
        ("http://hub.test", {}, {"X-Forwarded-Proto": "https"}, 501, "not_configured"),
        (HOST, {"public_url": "http://hub.test"}, {}, 501, "not_configured"),
        (HOST, {"public_url": "https://public.test"}, {}, 403, "wrong_host"),
        (f"{HOST}:8443", {"public_url": HOST}, {}, 403, "wrong_host"),
        ("http://127.0.0.1", {"public_url": HOST}, {}, 403, "wrong_host"),
        (HOST, {}, {"Host": "a@hub.test"}, 400, "request_ambiguous"),
        (HOST, {}, {"Host": "hub.test:x"}, 400, "request_ambiguous"),
    ],
)
async def test_where_others_could_read_them_none_are_given(
    asked: str, settings: dict[str, Any], headers: dict[str, str], status: int, code: str
) -> None:
    async with open_world() as world, at_home(world, **settings) as app, browser_of(app, asked) as browser:
        await account(world)
        refused = await sign_in(browser, headers=OURS | headers)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert status == 400 or refused.json()["hint"]
        assert cookies_of(refused) == {}


async def test_a_proxy_that_is_trusted_says_that_it_speaks_tls() -> None:
    async with open_world() as world:
        await account(world)
        headers = OURS | {"X-Forwarded-Proto": "http, https"}
        async with at_home(world, trusted_proxies=[ip_network("127.0.0.0/8")]) as app:
            async with browser_of(app, "http://hub.test", client=("127.0.0.1", 1)) as browser:
                assert cookies_of(await sign_in(browser, headers=headers)) == OVER_TLS
                assert (await sign_in(browser, headers=headers | {"X-Forwarded-Proto": "http"})).status_code == 501
            async with browser_of(app, "http://hub.test", client=("10.0.0.1", 1)) as browser:
                assert (await sign_in(browser, headers=headers)).status_code == 501


# ----------------------------------------------------------------------------------------------- for what it counts


@covers("GET /v1/auth/session")
async def test_a_cookie_stands_for_the_sign_in(signed_in: SignedIn) -> None:
    browser = signed_in.browser
    answer = await browser.get(f"{A}/session")
    assert (ok(answer)["username"], ok(answer)["csrf_token"]) == ("ann", signed_in.csrf)
    assert (answer.headers["vary"], answer.headers["cache-control"]) == ("Cookie", "no-store")
    task = await browser.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}, headers=signed_in.ours)
    assert ok(task)["created_by"] == "ann"


async def test_a_header_goes_before_the_cookie(signed_in: SignedIn) -> None:
    """Also one that is wrong; and what it allows needs no page of ours."""
    browser, viewer = signed_in.browser, {"Authorization": "Bearer viewer-token"}
    answer = await browser.get(f"{A}/session", headers=viewer)
    assert (ok(answer)["username"], ok(answer)["csrf_token"]) == ("viewer", None)
    assert "vary" not in answer.headers
    assert (await browser.get(f"{A}/session", headers={"Authorization": "Bearer wrong"})).status_code == 401
    editor = {"Authorization": "Bearer editor-token", "Sec-Fetch-Site": "cross-site"}
    ok(await browser.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}, headers=editor))


@pytest.mark.parametrize("value", ["", "x", "admin-token", "ct_sgn_0." + "A" * 43])
async def test_no_other_token_counts_in_a_cookie(value: str) -> None:
    async with open_world() as world, browser_of(world.app) as browser:
        assert (await browser.get(f"{A}/session", headers={"Cookie": f"__Host-ct_session={value}"})).status_code == 401


async def test_a_key_in_a_cookie_is_no_sign_in(signed_in: SignedIn) -> None:
    """Whoever could plant one would have the browser act for somebody else."""
    key = (await signed_in.world.client.post(f"{A}/keys", json={"name": "ci"})).json()["token"]
    async with browser_of(signed_in.world.app) as browser:
        answer = await browser.get(f"{A}/session", headers={"Cookie": f"__Host-ct_session={key}"})
        assert (answer.status_code, answer.json()["detail"]) == (401, "The cookie is of no sign-in")


async def test_a_name_that_others_can_set_does_not_count_over_tls(signed_in: SignedIn) -> None:
    """Nor does the cookie where anybody could have read it."""
    token = signed_in.browser.cookies["__Host-ct_session"]
    async with browser_of(signed_in.world.app) as browser:
        for name in ("ct_session", "__Secure-ct_session"):
            assert (await browser.get(f"{A}/session", headers={"Cookie": f"{name}={token}"})).status_code == 401
    async with browser_of(signed_in.world.app, "http://hub.test") as browser:
        for name in ("ct_session", "__Host-ct_session"):
            assert (await browser.get(f"{A}/session", headers={"Cookie": f"{name}={token}"})).status_code == 401


async def test_cookies_may_come_one_by_one(signed_in: SignedIn) -> None:
    """As HTTP/2 has them."""
    token = signed_in.browser.cookies["__Host-ct_session"]
    headers = [("Cookie", "a=b"), ("Cookie", f"__Host-ct_session={token}"), ("Cookie", "c=d; e")]
    async with browser_of(signed_in.world.app) as browser:
        assert ok(await browser.get(f"{A}/session", headers=headers))["username"] == "ann"


async def test_cookies_count_under_the_public_name_alone(signed_in: SignedIn) -> None:
    """Who is nobody is told nothing else."""
    token = signed_in.browser.cookies["__Host-ct_session"]
    async with at_home(signed_in.world, public_url=HOST) as app:
        for asked, cookie, expected in (
            (HOST, token, (200, None)),
            ("https://hub.test:443", token, (200, None)),
            ("http://HUB.TEST", token, (200, None)),
            ("https://evil.test", token, (403, "wrong_host")),
            ("https://hub.test:8443", token, (403, "wrong_host")),
            ("https://evil.test", "wrong", (401, "unauthenticated")),
        ):
            async with browser_of(app, asked) as browser:
                answer = await browser.get(f"{A}/session", headers={"Cookie": f"__Host-ct_session={cookie}"})
                assert (answer.status_code, answer.json().get("code")) == expected, asked


async def test_where_nobody_needs_a_credential_cookies_are_not_looked_at(signed_in: SignedIn) -> None:
    """One that is left over from another server on this machine keeps nobody out."""
    owner = Principal(name="owner", roles=frozenset({"admin"}))
    async with (
        at_home(signed_in.world, anonymous=owner) as app,
        browser_of(app, "http://localhost:8000") as browser,
    ):
        answer = await browser.get(f"{A}/session", headers={"Cookie": "ct_session=of-another"})
        assert ok(answer)["username"] == "owner"


async def test_a_cookie_that_is_no_good_is_as_good_as_none(signed_in: SignedIn, tmp_path: Path) -> None:
    """It keeps nobody out who shows a certificate, and the browser is told to forget it, and nothing else."""
    certificate = ssl.PEM_cert_to_DER_cert(Authority(tmp_path / "ca").issue("carol")[0].read_text())
    carol = Principal(name="carol", roles=frozenset({"editor"}))
    settings = {
        "certificates": ClientCertificates(
            [CertificateRule(CertificateName(NameKind.CN, "carol"), carol)],
            cast(Clock, SimpleNamespace(now=lambda: datetime.now(UTC))),
        ),
        "trusted_proxies": [ip_network("10.0.0.0/8")],
        "certificates_from_proxies": True,
    }
    shown = {"Client-Cert": f":{b64encode(certificate).decode()}:"}
    good, gone = signed_in.browser.cookies["__Host-ct_session"], "Path=/; Max-Age=0; SameSite=Lax; HttpOnly; Secure"
    task = {"title": "t", "prompt": "p"}
    async with (
        at_home(signed_in.world, **settings) as app,
        browser_of(app, HOST, client=("10.0.0.1", 1)) as browser,
    ):
        for cookie in ("x", "admin-token", "a.b.c", f"ct_sgn_0.{'A' * 43}"):
            spent = {"Cookie": f"__Host-ct_session={cookie}"}
            answer = await browser.get(f"{A}/session", headers=shown | spent)
            assert ok(answer)["username"] == "carol"
            assert cookies_of(answer) == {"__Host-ct_session": gone}
            assert ok(await browser.post("/v1/agent/tasks", json=task, headers=shown | spent))["created_by"] == "carol"
            foreign = await browser.get(f"{A}/session", headers=shown | spent | {"Sec-Fetch-Site": "cross-site"})
            assert foreign.status_code == 401
            alone = await browser.get(f"{A}/session", headers=spent)
            assert (alone.status_code, alone.json()["detail"]) == (401, "The cookie is of no sign-in")
            assert cookies_of(alone) == {"__Host-ct_session": gone}
        both = {"Cookie": f"__Host-ct_session={good}"} | shown
        answer = await browser.get(f"{A}/session", headers=both)
        assert ok(answer)["username"] == "ann" and cookies_of(answer) == {}
        assert (await browser.post("/v1/agent/tasks", json=task, headers=both)).json()["code"] == "csrf"
        wrong = await browser.get(f"{A}/session", headers=both | {"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401 and cookies_of(wrong) == {}


# --------------------------------------------------------------------------------------------- how long, and its end


@covers("POST /v1/auth/logout")
async def test_signing_out_ends_it_and_what_it_opened(signed_in: SignedIn) -> None:
    browser = signed_in.browser
    token = browser.cookies["__Host-ct_session"]
    peer = stream_of(signed_in)
    await peer.until(lambda peer: peer.status == 200)
    assert (await browser.post(f"{A}/logout", headers=OURS)).status_code == 403
    answer = await browser.post(f"{A}/logout", headers=signed_in.ours)
    ok(answer)
    await peer.end()
    assert set(cookies_of(answer)) == set(OVER_TLS)
    assert all("Max-Age=0" in attributes for attributes in cookies_of(answer).values())
    assert dict(browser.cookies) == {}
    assert (await browser.get(f"{A}/session")).status_code == 401
    again = await browser.get(f"{A}/session", headers={"Cookie": f"__Host-ct_session={token}"})
    assert (again.status_code, again.json()["code"]) == (401, "unauthenticated")


async def test_an_account_that_is_shut_out_ends_it_with_its_stream(signed_in: SignedIn) -> None:
    peer = stream_of(signed_in)
    await peer.until(lambda peer: peer.status == 200)
    ok(await signed_in.world.client.patch(f"{A}/accounts/ann", json={"enabled": False}))
    await peer.end()
    assert (await signed_in.browser.get(f"{A}/session")).status_code == 401
    refused = await signed_in.browser.post(f"{A}/refresh", headers=signed_in.ours)
    assert refused.status_code == 401
    assert dict(signed_in.browser.cookies) == {}


@covers("POST /v1/auth/refresh")
async def test_the_cookie_is_renewed_by_another(signed_in: SignedIn) -> None:
    """Its token too, which cannot be used again later: somebody else has it then."""
    browser, world = signed_in.browser, signed_in.world
    first = dict(browser.cookies)
    world.clock.advance(minutes=61)
    assert (await browser.get(f"{A}/session")).status_code == 401
    for headers in (OURS, {"X-CSRF-Token": signed_in.csrf}, signed_in.ours | {"Sec-Fetch-Site": "cross-site"}):
        refused = await browser.post(f"{A}/refresh", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "csrf")
        assert cookies_of(refused) == {}
    answer = await browser.post(f"{A}/refresh", headers=signed_in.ours)
    assert "access_token" not in ok(answer) and "ct_sgn" not in answer.text
    assert ok(answer)["csrf_token"] == signed_in.csrf
    assert cookies_of(answer)["__Host-ct_session"] == OVER_TLS["__Host-ct_session"]
    assert "Max-Age=2588340" in cookies_of(answer)["__Secure-ct_refresh"]
    second = dict(browser.cookies)
    assert all(first[name] != second[name] for name in ("__Host-ct_session", "__Secure-ct_refresh"))
    ok(await browser.get(f"{A}/session"))
    world.clock.advance(minutes=2)
    stolen = {"Cookie": f"__Secure-ct_refresh={first['__Secure-ct_refresh']}", **signed_in.ours}
    async with browser_of(world.app) as thief:
        refused = await thief.post(f"{A}/refresh", headers=stolen)
    assert (refused.status_code, refused.json()["code"]) == (401, "renewal_spent")
    assert all("Max-Age=0" in attributes for attributes in cookies_of(refused).values())
    assert (await browser.get(f"{A}/session")).status_code == 401
    assert (await browser.post(f"{A}/refresh", headers=signed_in.ours)).status_code == 401


async def test_what_renews_nothing(signed_in: SignedIn) -> None:
    async with browser_of(signed_in.world.app) as browser:
        refused = await browser.post(f"{A}/refresh", headers=OURS)
        assert (refused.status_code, refused.json()["field"]) == (422, "refresh_token")
        cookie = {"Cookie": "__Secure-ct_refresh=x", **OURS}
        assert (await browser.post(f"{A}/refresh", headers=cookie)).status_code == 401


async def test_a_token_in_the_body_goes_before_the_cookie(signed_in: SignedIn) -> None:
    """A program that signs in beside the browser is told its tokens, and the browser keeps its cookies."""
    browser = signed_in.browser
    told = ok(await browser.post(f"{A}/login", json={"username": "ann", "password": PASSWORD}))
    answer = await browser.post(f"{A}/refresh", json={"refresh_token": told["refresh_token"]})
    assert ok(answer)["access_token"] and cookies_of(answer) == {}
