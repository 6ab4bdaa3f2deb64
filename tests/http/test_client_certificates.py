"""Who is known by a certificate: as the server saw it, or as a trusted proxy says; and by nobody else's word."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from codetether_adapters.certificates import ClientCertificates, read_certificate
from codetether_adapters.http import Call, Json, Route
from codetether_core.access import PUBLIC, CertificateName, CertificateRule, NameKind, Principal
from codetether_core.errors import Unauthenticated
from codetether_core.ports import Clock
from tests.http.harness import application
from tests.servers.tls import Authority

PROXY, STRANGER = "10.0.0.1", "192.0.2.1"
SPIFFE = "spiffe://team.example/build"
RULES = [
    CertificateRule(CertificateName(NameKind.URI, SPIFFE), Principal(name="build", roles=frozenset({"viewer"}))),
    CertificateRule(CertificateName(NameKind.DNS, "h.example"), Principal(name="host", roles=frozenset({"editor"}))),
    CertificateRule(CertificateName(NameKind.CN, "carol"), Principal(name="carol", roles=frozenset({"admin"}))),
]


async def who(call: Call) -> Json:
    expires = call.principal.expires_at
    return Json([call.principal.name, expires and expires.isoformat(), call.headers.get("client-cert")])


ROUTES = [
    Route("GET", "/read", who, "tasks:read"),
    Route("POST", "/write", who, "tasks:write"),
    Route("GET", "/public", who, PUBLIC),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def issue(authority: Authority) -> Callable[..., bytes]:
    """A certificate for these names, in DER."""

    def issued(*also: x509.GeneralName, name: str = "anybody") -> bytes:
        return ssl.PEM_cert_to_DER_cert(authority.issue(name, also=also)[0].read_text())

    return issued


@pytest.fixture(scope="module")
def build(issue: Callable[..., bytes]) -> bytes:
    return issue(x509.UniformResourceIdentifier(SPIFFE), x509.DNSName("h.example"))


def header(der: bytes) -> dict[str, str]:
    return {"Client-Cert": f":{b64encode(der).decode()}:"}


def seen(app: ASGIApp, der: bytes | None, error: str | None = None) -> ASGIApp:
    """The application behind a server to which a client showed the certificate."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        chain = [] if der is None else [ssl.DER_cert_to_PEM_cert(der)]
        scope["extensions"] = {"tls": {"client_cert_chain": chain, "client_cert_error": error}}
        await app(scope, receive, send)

    return serve


async def ask(
    headers: Any = None,
    *,
    shown: bytes | None = None,
    error: str | None = None,
    peer: str = STRANGER,
    after: timedelta = timedelta(),
    method: str = "GET",
    path: str = "/read",
    **settings: Any,
) -> httpx.Response:
    """What is answered from an address, some time from now."""
    clock = cast(Clock, SimpleNamespace(now=lambda: datetime.now(UTC) + after))
    believed = {"trusted_proxies": [ip_network("10.0.0.0/8")], "certificates_from_proxies": True}
    app = application(*ROUTES, certificates=ClientCertificates(RULES, clock), **{**believed, **settings})
    transport = httpx.ASGITransport(seen(app, shown, error), client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        return await client.request(method, path, headers=headers)


def name_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0])


def refusal(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), answer.text
    return str(answer.json()["detail"])


async def test_whose_it_is(issue: Callable[..., bytes], build: bytes) -> None:
    """A URI goes before a host's name; the common name counts where nothing else does; until it expires."""
    answer = await ask(shown=build)
    assert name_of(answer) == "build"
    assert answer.json()[1] == read_certificate(build).not_after.isoformat()
    assert name_of(await ask(shown=issue(x509.DNSName("H.example")))) == "host"
    assert name_of(await ask(shown=issue(name="carol"))) == "carol"


async def test_what_its_roles_allow(build: bytes) -> None:
    """No more and no less than a token's would."""
    assert (await ask(shown=build, method="POST", path="/write")).status_code == 403
    assert (await ask(path="/public")).status_code == 200


async def test_one_that_nobody_is_known_by(issue: Callable[..., bytes]) -> None:
    """The refusal names it, so that whoever runs this knows what to allow."""
    stranger = issue(x509.UniformResourceIdentifier("spiffe://team.example/other"), name="dave")
    serial = f"{read_certificate(stranger).serial:x}"
    told = refusal(await ask(shown=stranger))
    assert told.endswith(f"uri:spiffe://team.example/other, cn:dave (serial {serial})")


async def test_one_that_the_server_does_not_vouch_for(build: bytes) -> None:
    assert refusal(await ask(shown=build, error="self-signed certificate")) == "Missing Bearer token"
    assert refusal(await ask(shown=None)) == "Missing Bearer token"


@pytest.mark.parametrize(("after", "word"), [(timedelta(days=2), "expired at"), (-timedelta(days=3), "counts from")])
@pytest.mark.parametrize("token", [{}, {"Authorization": "Bearer editor-token"}], ids=["alone", "with a token"])
async def test_one_that_does_not_count_now(build: bytes, after: timedelta, word: str, token: dict[str, str]) -> None:
    """Also on a connection that began when it did, and a good token does not help it."""
    assert word in refusal(await ask(token, shown=build, after=after))


async def test_a_token_beside_it(build: bytes, issue: Callable[..., bytes]) -> None:
    """The token says who it is, for as long as both count; whose the certificate is, is not asked then."""
    for shown in (build, issue(name="dave")):
        answer = await ask({"Authorization": "Bearer editor-token"}, shown=shown)
        assert answer.json()[:2] == ["editor", read_certificate(shown).not_after.isoformat()]
        assert refusal(await ask({"Authorization": "Bearer wrong"}, shown=shown)) == "Invalid token"


async def test_pages_of_others(build: bytes) -> None:
    """A browser shows its certificate to whoever asks for it, also in the name of another site's page."""
    for foreign in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        assert "another site" in refusal(await ask(foreign, shown=build))
    assert name_of(await ask({"Sec-Fetch-Site": "same-origin"}, shown=build)) == "build"


async def test_a_proxy_says_so(build: bytes, issue: Callable[..., bytes]) -> None:
    """Only one that is trusted and only where a setting says so; its own certificate is another matter."""
    told = header(build)
    assert name_of(await ask(told, peer=PROXY)) == "build"
    assert name_of(await ask(told, peer=PROXY, shown=issue(name="carol"))) == "build"
    assert refusal(await ask(told)) == "Missing Bearer token"
    assert refusal(await ask(told, peer=PROXY, certificates_from_proxies=False)) == "Missing Bearer token"
    assert refusal(await ask(told, peer=PROXY, trusted_proxies=[])) == "Missing Bearer token"
    assert refusal(await ask({**told, "X-Forwarded-For": PROXY})) == "Missing Bearer token"


async def test_no_handler_sees_what_a_stranger_wrote(build: bytes) -> None:
    for peer, sees in ((STRANGER, False), (PROXY, True)):
        answer = await ask({**header(build), "Authorization": "Bearer editor-token"}, peer=peer)
        assert (answer.json()[2] is not None) == sees


@pytest.mark.parametrize(
    "value",
    ["", "::", ":", "AAAA", ":AAAA", ":AA*A:", ":A:", ":AAAA:;a=1", ":AAAA:, :AAAA:", '"AAAA"', ":AAAA:", ":é:"],
)
async def test_a_malformed_header(value: str) -> None:
    """It is refused, with or without a token: a proxy that says nonsense is to be mended."""
    for token in ({}, {"Authorization": "Bearer editor-token"}):
        headers = {**token, "Client-Cert": value.encode()}
        assert "is malformed" in refusal(await ask(headers, peer=PROXY))
        assert "malformed" not in (await ask(headers)).text


async def test_two_of_them(build: bytes) -> None:
    twice = [*header(build).items(), *header(build).items()]
    assert "is malformed" in refusal(await ask(twice, peer=PROXY))


@cache
def sound() -> bytes:
    with TemporaryDirectory() as directory:
        return ssl.PEM_cert_to_DER_cert(Authority(Path(directory) / "ours").issue("x")[0].read_text())


@given(st.binary(max_size=300), st.integers(0, 2000))
def test_whatever_is_sent_is_a_certificate_or_refused(rubbish: bytes, at: int) -> None:
    """Also one of which a piece is replaced."""
    for der in (rubbish, sound()[:at] + rubbish + sound()[at + len(rubbish) :]):
        try:
            read_certificate(der)
        except Unauthenticated as error:
            assert "malformed" in error.message
