"""Client certificates as identities on a real server: on its own port, and from a proxy."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import Any

import httpx
import pytest
from cryptography import x509

from codetether_adapters.client import Client, tls_with
from codetether_apps.settings import Settings, SettingsError, described, read_settings
from codetether_apps.wiring.client_certificates import open_certificates
from codetether_core.access import CertificateName, NameKind
from tests.apps.conftest import Launch
from tests.apps.secured import TOKEN, Secured, secured
from tests.servers.tls import Authority

ENGINES = pytest.mark.parametrize("engine", ["hypercorn", "uvicorn"])
SPIFFE = x509.UniformResourceIdentifier("spiffe://team/build")
RULES = "build:editor=uri:spiffe://team/build,seen:viewer=dns:seen.example,m1:worker@wrk-1=cn:machine"


def certified(launch: Launch, directory: Path, engine: str, **more: str) -> Secured:
    """A server with a port for certificates, by which it knows some."""
    settings = {
        "CODETETHER_ASGI": engine,
        "CODETETHER_MTLS_PORT": "0",
        "CODETETHER_MTLS_CA": str(directory / "ca.crt"),
        "CODETETHER_CLIENT_CERTIFICATES": RULES,
        **more,
    }
    return secured(launch, directory, settings)


def ask(
    server: Secured,
    shows: tuple[Path, Path] | None,
    method: str = "GET",
    path: str = "/v1/agent/tasks",
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """On the port for certificates, without a token; on the other one without a certificate."""
    tls = tls_with(ca=server.ca, cert=shows[0] if shows else None, key=shows[1] if shows else None)
    url = f"https://127.0.0.1:{server.ports[1 if shows else 0]}{path}"
    with httpx.Client(verify=tls) as client:
        return client.request(method, url, json=body, headers=headers)


@ENGINES
def test_who_is_known(launch: Launch, tmp_path: Path, engine: str) -> None:
    """Each may what its roles allow, and the trail names it; who is not known is told which certificate was seen."""
    server = certified(launch, tmp_path, engine)
    build, seen = (
        server.authority.issue("b", also=[SPIFFE]),
        server.authority.issue("s", also=[x509.DNSName("seen.example")]),
    )
    machine, nobody = server.authority.issue("machine"), server.authority.issue("nobody")
    task = {"title": "t", "prompt": "p", "codebase_id": "global", "agent_type": "echo"}
    assert ask(server, build).status_code == 200
    assert ask(server, build, "POST", "/v1/agent/tasks", task).is_success
    assert ask(server, seen, "POST", "/v1/agent/tasks", task).status_code == 403
    register = {"worker_id": "wrk-2", "name": "m", "capabilities": [], "hostname": "h"}
    refused = ask(server, machine, "POST", "/v1/agent/workers/register", register)
    assert refused.status_code == 403 and "the worker wrk-1 alone" in refused.json()["detail"], refused.text
    assert ask(server, machine, "POST", "/v1/agent/workers/register", {**register, "worker_id": "wrk-1"}).is_success
    told = ask(server, nobody)
    assert (told.status_code, told.json()["code"]) == (401, "unauthenticated")
    assert "client certificate of cn:nobody (serial " in told.json()["detail"]
    assert ask(server, None).status_code == 401
    assert ask(server, nobody, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    with Client(server.url, token=TOKEN, tls=tls_with(ca=server.ca)) as client:
        records = [json.loads(line) for line in client.audit.export()]
    assert {"build", "seen", "m1"} <= {record["actor"] for record in records}


@ENGINES
def test_connections_do_not_mix(launch: Launch, tmp_path: Path, engine: str) -> None:
    """Several are open at once, each with requests by turns; over HTTP/2 where the engine can."""
    server = certified(launch, tmp_path, engine)
    shown = {
        "build": server.authority.issue("b", also=[SPIFFE]),
        "seen": server.authority.issue("s", also=[x509.DNSName("seen.example")]),
        "m1": server.authority.issue("machine"),
    }
    with ExitStack() as stack:
        clients = {}
        for name, (cert, key) in shown.items():
            tls, url = tls_with(ca=server.ca, cert=cert, key=key), f"https://127.0.0.1:{server.ports[1]}"
            clients[name] = stack.enter_context(httpx.Client(verify=tls, base_url=url, http2=engine == "hypercorn"))
        for _ in range(5):
            for name, client in clients.items():
                assert client.get("/v1/auth/session").json()["user_id"] == name


@ENGINES
def test_a_stream_ends_with_the_certificate(launch: Launch, tmp_path: Path, engine: str) -> None:
    """In order, and the next request on the same connection is refused."""
    server = certified(launch, tmp_path, engine)
    brief = server.authority.issue("b", also=[SPIFFE], lasts=timedelta(seconds=5))
    request = "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with server.connect(shows=brief, at=1) as line:
        line.socket.sendall(request.format("/v1/monitor/stream").encode())
        line.hear(b" 200 ")
        line.hear(b"0\r\n\r\n")
        line.socket.sendall(request.format("/v1/agent/tasks").encode())
        assert b"expired at" in line.hear(b'"}')


def test_from_a_proxy(launch: Launch, tmp_path: Path) -> None:
    """Its word counts where it is trusted with that; on a server that trusts another one it is nobody's."""
    build = Authority(tmp_path / "any").issue("b", also=[SPIFFE])[0]
    header = {"Client-Cert": f":{b64encode(PEM_cert_to_DER_cert(build.read_text())).decode()}:"}
    for directory, proxies, status in (("a", "127.0.0.1", 200), ("b", "10.0.0.0/8", 401)):
        (tmp_path / directory).mkdir()
        server = secured(
            launch,
            tmp_path / directory,
            {
                "CODETETHER_CLIENT_CERTIFICATES": RULES,
                "CODETETHER_TRUSTED_PROXIES": proxies,
                "CODETETHER_PROXY_CERTIFICATES": "on",
            },
        )
        assert ask(server, None, headers=header).status_code == status
        assert ask(server, None).status_code == 401


def test_our_clients_need_no_token_then(launch: Launch, tmp_path: Path) -> None:
    server = certified(launch, tmp_path, "hypercorn")
    cert, key = server.authority.issue("b", also=[SPIFFE])
    with Client(f"https://127.0.0.1:{server.ports[1]}", tls=tls_with(ca=server.ca, cert=cert, key=key)) as client:
        assert client.tasks.list() == ()


# ------------------------------------------------------------------------------------------------ settings


def read(directory: Path, **environment: str) -> Settings:
    return read_settings(environment=environment, directory=directory)


def test_the_setting(tmp_path: Path) -> None:
    """It says what it reads, and reads what it says."""
    settings = read(tmp_path, CODETETHER_CLIENT_CERTIFICATES=f"{RULES}, two:worker+agent=dns:H.Example")
    rules = settings.auth.client_certificates
    assert [rule.principal.name for rule in rules] == ["build", "seen", "m1", "two"]
    assert rules[2].principal.worker == "wrk-1"
    assert rules[3].principal.roles == {"worker", "agent"}
    assert rules[3].name == CertificateName(NameKind.DNS, "h.example")
    (shown,) = (each.value for each in described(settings) if each.name == "auth.client_certificates")
    assert read(tmp_path, CODETETHER_CLIENT_CERTIFICATES=shown).auth.client_certificates == rules


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("build:editor", "must be name:role"),
        ("build=uri:spiffe://a", "must be name:role"),
        ("build:editor=spiffe://a", "must be name:role"),
        ("build:editor=uri:", "must be name:role"),
        ("build:boss=uri:spiffe://a", "boss is none of admin, agent"),
        ("build:editor+=uri:spiffe://a", "a role that there is for build"),
        ("a:editor=dns:x,b:admin=dns:X", "a and b are both dns:x"),
    ],
)
def test_what_it_cannot_be(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, CODETETHER_CLIENT_CERTIFICATES=text)
    assert "auth.client_certificates (environment CODETETHER_CLIENT_CERTIFICATES)" in caught.value.message
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("environment", "given", "missing"),
    [
        ({"CLIENT_CERTIFICATES": RULES}, "auth.client_certificates", "server.mtls_port or server.proxy_certificates"),
        ({"PROXY_CERTIFICATES": "on"}, "server.proxy_certificates", "server.trusted_proxies"),
        (
            {"PROXY_CERTIFICATES": "on", "TRUSTED_PROXIES": "10.0.0.1"},
            "server.proxy_certificates",
            "auth.client_certificates",
        ),
    ],
)
def test_half_of_it(tmp_path: Path, environment: dict[str, str], given: str, missing: str) -> None:
    """A setting that would be of no effect is refused, with the one that it needs."""
    settings = read(tmp_path, **{f"CODETETHER_{name}": value for name, value in environment.items()})
    with pytest.raises(SettingsError) as caught:
        open_certificates(settings, clock=None)  # type: ignore[arg-type]
    assert caught.value.message.startswith(f"{given} (environment ") and missing in caught.value.message
    assert caught.value.hint.startswith("set CODETETHER_")
