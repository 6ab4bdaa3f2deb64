"""Who may ask what: tokens in one header only, default deny, and no favours to other sites' pages (promise 7)."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.http import Call, Json, Route
from codetether_adapters.tokens import StaticToken, StaticTokens
from codetether_core.access import PUBLIC, Principal
from codetether_core.errors import PermissionDenied
from codetether_core.ids import TenantId
from codetether_core.services import RolePolicy
from tests.http.harness import EDITOR, application, client_of


async def who(call: Call) -> Json:
    return Json([call.principal.name, call.principal.tenant, sorted(call.principal.roles)])


ROUTES = [
    Route("GET", "/read", who, "tasks:read"),
    Route("POST", "/write", who, "tasks:write"),
    Route("GET", "/public", who, PUBLIC),
]


def basic(token: str, user: str = "any") -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{token}'.encode()).decode()}"}


async def ask(method: str, path: str, headers: dict[str, str] | None = None, **settings: Any) -> Any:
    async with client_of(application(*ROUTES, **settings)) as client:
        return await client.request(method, path, headers=headers)


# --------------------------------------------------------------------------------------------- credentials


@pytest.mark.parametrize(
    "authorization",
    ["Bearer editor-token", "bearer editor-token", "BEARER   editor-token ", basic("editor-token")["Authorization"]],
)
async def test_a_token_comes_as_bearer_or_as_the_password_of_basic(authorization: str) -> None:
    answer = await ask("GET", "/read", {"Authorization": authorization})
    assert (answer.status_code, answer.json()) == (200, ["editor", "default", ["editor"]])


async def test_the_user_name_of_basic_does_not_matter() -> None:
    """Unmodified 1.4.3 workers authenticate by ``--server http://any:TOKEN@host`` (wire, section 1.4)."""
    for user in ("", "worker", "editor"):
        assert (await ask("GET", "/read", basic("viewer-token", user))).json()[0] == "viewer"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer editor-token2",
        "Bearer editor-token, Bearer editor-token",
        "editor-token",
        "Token editor-token",
        "Digest username=editor",
        "Basic",
        "Basic !!!",
        "Basic /w==",
        basic("")["Authorization"],
        basic("wrong", "editor-token")["Authorization"],
        f"Basic {b64encode(b'editor-token').decode()}",
    ],
)
async def test_anything_else_is_nobody(authorization: str) -> None:
    answer = await ask("GET", "/read", {"Authorization": authorization})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="codetether", error="invalid_token"'
    assert "editor-token" not in answer.text


async def test_an_empty_token_is_nobodys_even_if_somebody_configured_one() -> None:
    tokens = StaticTokens([StaticToken.of("careless", "", ["admin"])])
    for authorization in ("Bearer ", basic("")["Authorization"]):
        answer = await ask("GET", "/read", {"Authorization": authorization}, authenticator=tokens)
        assert answer.status_code == 401


async def test_without_a_credential_only_public_routes_answer() -> None:
    assert (await ask("GET", "/public")).json() == ["anonymous", "default", []]
    assert (await ask("GET", "/public", {"Authorization": "Bearer wrong"})).status_code == 200
    answer = await ask("GET", "/read")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="codetether"')


@pytest.mark.parametrize("query", ["access_token", "token", "api_key", "worker_token"])
async def test_a_token_in_a_url_is_not_looked_at(query: str) -> None:
    assert (await ask("GET", f"/read?{query}=editor-token")).status_code == 401


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40))
async def test_a_garbled_header_is_never_our_fault(authorization: str) -> None:
    async with client_of(application(*ROUTES)) as client:
        for value in (authorization, f"Basic {authorization}", f"Bearer {authorization}"):
            answer = await client.get("/read", headers=[(b"authorization", value.encode("latin-1"))])
            assert answer.status_code == 401


# ---------------------------------------------------------------------------------------- other sites' pages

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://hub.test:81"},
    {"Origin": "http://hub.test.evil.test"},
    {"Origin": "https://evil.test", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "http://hub.test", "Sec-Fetch-Site": "cross-site", "Host": "hub.test"},
]
OURS = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://hub.test"},
    {"Origin": "https://hub.test"},
    {"Origin": "https://public.test"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_browser_lends_basic_to_no_other_site(headers: dict[str, str]) -> None:
    """Browsers add a remembered password to anybody's request; a bearer token only our own code can add."""
    answer = await ask("POST", "/write", headers | basic("editor-token"))
    assert answer.status_code == 401
    assert "Basic" not in answer.headers["www-authenticate"]
    assert (await ask("POST", "/write", headers | EDITOR)).status_code == 200


@pytest.mark.parametrize("headers", OURS)
async def test_our_own_pages_may_use_basic(headers: dict[str, str]) -> None:
    answer = await ask("POST", "/write", headers | basic("editor-token"), origins=["https://public.test"])
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        ({}, False),
        ({"Accept": "*/*"}, False),
        ({"Accept": "application/json"}, False),
        ({"Accept": "text/html,application/xhtml+xml"}, True),
        ({"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}, True),
        ({"Accept": "text/html", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}, False),
    ],
)
async def test_a_password_is_asked_of_whoever_opens_a_page_only(headers: dict[str, str], offered: bool) -> None:
    challenges = (await ask("GET", "/read", headers)).headers.get_list("www-authenticate")
    assert challenges[0].startswith("Bearer")
    assert any(challenge.startswith("Basic") for challenge in challenges) is offered


# ------------------------------------------------------------------------------------ authentication off

OWNER = Principal(name="owner", roles=frozenset({"admin"}))


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000", "a.localhost:1"]
)
async def test_without_authentication_loopback_names_are_answered(host: str) -> None:
    assert (await ask("POST", "/write", {"Host": host}, anonymous=OWNER)).json()[0] == "owner"


@pytest.mark.parametrize("host", ["", "hub.test", "evil.test:8000", "localhost.evil.test", "10.0.0.1", "[::2]:80", ":"])
async def test_without_authentication_other_names_are_not(host: str) -> None:
    """A page may give itself a name that leads to us (DNS rebinding); to its browser it is then our own."""
    assert (await ask("POST", "/write", {"Host": host}, anonymous=OWNER)).status_code == 403


async def test_without_authentication_the_public_name_is_answered() -> None:
    settings = {"anonymous": OWNER, "origins": ["https://hub.test"]}
    assert (await ask("POST", "/write", {"Host": "hub.test"}, **settings)).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
async def test_without_authentication_other_sites_pages_are_nobody(headers: dict[str, str]) -> None:
    """Else any page that its owner opens could run a prompt on this machine."""
    headers = {"Host": "localhost"} | headers
    assert (await ask("POST", "/write", headers, anonymous=OWNER)).status_code == 401


async def test_without_authentication_a_wrong_token_is_still_wrong() -> None:
    headers = {"Host": "localhost", "Authorization": "Bearer wrong"}
    assert (await ask("GET", "/read", headers, anonymous=OWNER)).status_code == 401


# ------------------------------------------------------------------------------------------ authorization


@pytest.mark.parametrize(
    ("role", "read", "write"), [("admin", 200, 200), ("editor", 200, 200), ("viewer", 200, 403), ("worker", 200, 403)]
)
async def test_a_route_is_open_to_whom_its_permission_is_given(role: str, read: int, write: int) -> None:
    headers = {"Authorization": f"Bearer {role}-token"}
    assert (await ask("GET", "/read", headers)).status_code == read
    answer = await ask("POST", "/write", headers)
    assert answer.status_code == write
    if write == 403:
        assert 'scope="tasks:write"' in answer.headers["www-authenticate"]
        assert (answer.json()["permission"], answer.json()["detail"]) == ("tasks:write", f"{role} may not tasks:write")


async def test_the_authorizer_has_the_last_word() -> None:
    class Nobody:
        async def authorize(self, principal: Principal, permission: str, *, tenant: TenantId | None = None) -> None:
            raise PermissionDenied("Not today", permission=permission)

    assert (await ask("GET", "/read", EDITOR, authorizer=Nobody())).status_code == 403
    assert (await ask("GET", "/public", authorizer=Nobody())).status_code == 200


# ------------------------------------------------------------------------------------------- static tokens


async def test_a_token_is_known_by_its_hash() -> None:
    entry = StaticToken.of("ann", "secret-of-ann", ["viewer", "worker"], TenantId("acme"))
    assert "secret" not in repr(entry)
    assert len(entry.sha256) == 64
    principal = await StaticTokens([entry]).authenticate("secret-of-ann")
    assert principal == Principal(name="ann", tenant=TenantId("acme"), roles=frozenset({"viewer", "worker"}))
    for wrong in ("", "secret-of-an", entry.sha256, "secret-of-ann ", "\ud800"):
        assert await StaticTokens([entry]).authenticate(wrong) is None


def test_one_token_is_one_principal() -> None:
    with pytest.raises(ValueError, match="'bob' is the same as that of 'ann'"):
        StaticTokens([StaticToken.of("ann", "x", ["admin"]), StaticToken.of("bob", "x", ["viewer"])])


async def test_a_role_that_nobody_defined_allows_nothing() -> None:
    with pytest.raises(PermissionDenied, match="eve may not tasks:read"):
        await RolePolicy().authorize(Principal(name="eve", roles=frozenset({"owner"})), "tasks:read")
