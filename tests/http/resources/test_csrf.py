"""Whose pages may have a browser ask with its cookies: those of the server alone, in every way in which others try."""

from __future__ import annotations

from itertools import product

import httpx
import pytest

from codetether_adapters.http import Call, Json, Route
from tests.http.coverage import covers
from tests.http.resources.browsers import (
    HOST,
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


async def done(call: Call) -> Json:
    return Json(call.principal.name)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SITES = (None, "same-origin", "none", "same-site", "cross-site", "")
ORIGINS = (None, HOST, "http://hub.test", "https://hub.test:8443", "https://evil.test", "null", "")
REFERERS = (None, f"{HOST}/tasks", "https://evil.test/hub.test", f"https://evil.test/?{HOST}")
PROOFS = ("right", "wrong", "another's", None)


def allowed(method: str, site: str | None, origin: str | None, referer: str | None, proof: str | None) -> bool:
    """What the rules say, said once more."""
    if method in ("GET", "HEAD"):
        return True
    if proof != "right":
        return False
    if site is not None:
        return site in ("same-origin", "none") and origin in (None, "null", HOST)
    if origin is not None:
        return origin == HOST
    return referer == f"{HOST}/tasks"


async def test_only_a_page_of_ours_changes_anything(signed_in: SignedIn) -> None:
    """Every combination of method, Fetch Metadata, origin, referer and proof."""
    await account(signed_in.world, "bob")
    async with browser_of(signed_in.world.app) as other:
        another = ok(await sign_in(other, "bob"))["csrf_token"]
    assert another != signed_in.csrf
    proofs = {"right": signed_in.csrf, "wrong": signed_in.csrf[:-1] + "!", "another's": another}
    routes = [Route(method, "/x", done, "tasks:read") for method in METHODS if method != "HEAD"]
    cookie = {"Cookie": f"__Host-ct_session={signed_in.browser.cookies['__Host-ct_session']}"}
    seen = set()
    async with at_home(signed_in.world, routes=routes) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as browser:
            for case in product(METHODS, SITES, ORIGINS, REFERERS, PROOFS):
                method, site, origin, referer, proof = case
                told = {
                    "Sec-Fetch-Site": site,
                    "Origin": origin,
                    "Referer": referer,
                    "X-CSRF-Token": proofs.get(proof or ""),
                }
                headers = cookie | {name: value for name, value in told.items() if value is not None}
                answer = await browser.request(method, "/x", headers=headers)
                expected = 200 if allowed(*case) else 403
                assert answer.status_code == expected, (case, answer.text)
                seen.add(expected)
                if expected == 403:
                    assert answer.json()["code"] == "csrf" and answer.json()["hint"]
                    assert "www-authenticate" not in answer.headers
    assert seen == {200, 403}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": HOST}, 200),
    ],
)
async def test_no_other_site_opens_a_stream(signed_in: SignedIn, headers: dict[str, str], status: int) -> None:
    peer = stream_of(signed_in, headers)
    try:
        await peer.until(lambda peer: peer.status is not None)
        assert peer.status == status
    finally:
        peer.leave()
        await peer.end()


@covers("POST /v1/auth/login")
@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.test"}],
)
async def test_another_sites_page_signs_nobody_in(headers: dict[str, str]) -> None:
    """Else its owner could have a victim work under the owner's name. Tokens it may have: it cannot read the answer."""
    async with open_world() as world, browser_of(world.app) as browser:
        await account(world)
        refused = await sign_in(browser, headers=headers)
        assert (refused.status_code, refused.json()["code"], cookies_of(refused)) == (403, "csrf", {})
        body = {"username": "ann", "password": PASSWORD}
        assert ok(await browser.post(f"{A}/login", json=body, headers=headers))["access_token"]
