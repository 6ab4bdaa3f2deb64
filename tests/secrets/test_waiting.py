"""A server whose secrets are not to be had yet: what it answers, and how it goes over to what it is for."""

from __future__ import annotations

import re
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.line import Line, line_to
from tests.e2e.programs import Program, until
from tests.secrets.conftest import Launch
from tests.secrets.kept import CLOSED, Secrets
from tests.servers.tls import Authority

ENGINES = pytest.mark.parametrize("engine", ["hypercorn", "uvicorn"])


@contextmanager
def waiting(
    launch: Launch, secrets: Secrets, directory: Path, entry: str = "server", **more: str
) -> Iterator[tuple[Program, Line, str]]:
    """A program that waits, the line to the vault, which leads nowhere, and where the program answers."""
    with line_to(CLOSED) as line:
        settings = secrets.settings(directory, line.url, CODETETHER_PORT="0", **more)
        program = launch(directory / "log", settings, "-m", f"codetether_apps.{entry}")
        until(lambda: program.process.poll() is not None or '"probes"' in program.said, "the first answers")
        found = re.search(r'"probes": \["([^"]+)"', program.said)
        assert found, program.said
        yield program, line, found[1]


@pytest.mark.parametrize("entry", ["server", "standalone"])
@ENGINES
def test_first_probes_then_everything(
    launch: Launch, secrets: Secrets, tmp_path: Path, entry: str, engine: str
) -> None:
    """It lives, says why it is not ready, and then serves, with no connection refused or lost in between."""
    with (
        waiting(launch, secrets, tmp_path, entry, CODETETHER_ASGI=engine) as (program, line, url),
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secrets.token}"}) as client,
    ):
        assert client.get("/livez").json() == {"status": "alive"}
        for path in ("/readyz", "/readyz?verbose", "/startupz"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["status"] == "starting"
            assert answer.json()["reason"] == "The secrets of its settings are not to be had yet"
        assert (client.get("/health").status_code, client.get("/health").json()["ready"]) == (200, False)
        for refused in (client.get("/v1/agent/tasks"), client.post("/livez", content=b"x" * 100_000)):
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.json()["code"] == "unavailable"
            assert "secrets of its settings" in refused.json()["hint"]
            assert line.url not in refused.text and secrets.absent_from(refused.text)
        line.port = secrets.vault.port
        with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0)) as old:
            until(lambda: httpx.get(f"{url}/readyz").status_code == 200, "the start")
            old.sendall(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert old.recv(100).startswith(b"HTTP/1.1 200")
        assert client.get("/startupz").json() == {"status": "started"}
        assert client.get("/v1/agent/tasks").status_code == 200
        until(lambda: f'"url": "{url}"' in program.said or f"listens on {url}" in program.said, "the address")
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.said
    assert "Traceback" not in program.said


def test_below_a_path_and_over_tls(launch: Launch, secrets: Secrets, tmp_path: Path) -> None:
    """With the certificate that the server will have, on both of its ports."""
    authority = Authority(tmp_path / "ca")
    cert, key = authority.issue("server")
    settings = {
        "CODETETHER_TLS_CERT": str(cert),
        "CODETETHER_TLS_KEY": str(key),
        "CODETETHER_MTLS_PORT": "0",
        "CODETETHER_MTLS_CA": str(authority.ca),
        "CODETETHER_BASE_PATH": "/hub",
    }
    trusting = ssl.create_default_context(cafile=authority.ca)
    with waiting(launch, secrets, tmp_path, **settings) as (program, line, url):
        assert url.startswith("https://")
        for path in ("/livez", "/hub/livez"):
            assert httpx.get(f"{url}{path}", verify=trusting).status_code == 200
        (certified,) = re.findall(r'"probes": \["[^"]+", "([^"]+)"\]', program.said)
        trusting.load_cert_chain(*authority.issue("me"))
        assert httpx.get(f"{certified}/readyz", verify=trusting).status_code == 503
        line.port = secrets.vault.port
        until(lambda: httpx.get(f"{certified}/hub/readyz", verify=trusting).status_code == 200, "the start")


@ENGINES
def test_it_leaves_with_clients_on_the_line(launch: Launch, secrets: Secrets, tmp_path: Path, engine: str) -> None:
    """One that has been answered and one that has not asked keep nobody."""
    with (
        waiting(launch, secrets, tmp_path, CODETETHER_ASGI=engine) as (program, _, url),
        httpx.Client(base_url=url) as client,
        socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0)),
    ):
        assert client.get("/livez").status_code == 200
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.said
    assert "Traceback" not in program.said


def test_a_vault_that_says_nothing(launch: Launch, secrets: Secrets, tmp_path: Path) -> None:
    """Probes are answered long before we give it up."""
    with line_to(secrets.vault.port) as line:
        line.cut.set()
        settings = secrets.settings(tmp_path, line.url, CODETETHER_PORT="0")
        program = launch(tmp_path / "log", settings, "-m", "codetether_apps.server")
        (url,) = until(lambda: re.findall(r'"probes": \["([^"]+)"', program.said), "the first answers")
        assert httpx.get(f"{url}/readyz").status_code == 503
        assert "secrets_unavailable" not in program.said
        line.heal()
        until(lambda: httpx.get(f"{url}/readyz").status_code == 200, "the start")


def test_a_secret_that_turns_out_to_be_none(launch: Launch, secrets: Secrets, tmp_path: Path) -> None:
    """Then it ends as if it had known at once."""
    wrong = {"CODETETHER_TOKENS": secrets.at("tokns")}
    with waiting(launch, secrets, tmp_path, **wrong) as (program, line, _):
        line.port = secrets.vault.port
        assert program.wait() == 2
    assert "codetether: auth.tokens (" in program.said
    assert "Traceback" not in program.said


def test_a_taken_port(launch: Launch, secrets: Secrets, tmp_path: Path) -> None:
    """That need not wait for the vault to be told."""
    with socket.create_server(("127.0.0.1", 0)) as taken, line_to(CLOSED) as line:
        settings = secrets.settings(tmp_path, line.url, CODETETHER_PORT=str(taken.getsockname()[1]))
        program = launch(tmp_path / "log", settings, "-m", "codetether_apps.server")
        assert program.wait() == 1
    assert "is taken by another program" in program.said
