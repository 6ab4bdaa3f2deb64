"""TLS as clients see it: what is spoken, certificates that change under open streams, clients that must have one."""

from __future__ import annotations

import shutil
import signal
import ssl
import warnings
from pathlib import Path

import pytest

from codetether_adapters.client import Client, ConnectionFailed, Patience, tls_with
from tests.apps.conftest import Launch
from tests.apps.secured import TOKEN, Line, Secured, fingerprint_of, secured
from tests.e2e.programs import until
from tests.servers.tls import Authority

ENGINES = pytest.mark.parametrize("engine", ["hypercorn", "uvicorn"])


def leaves(server: Secured) -> None:
    """It ends in order, and nothing went wrong before."""
    if "draining" not in server.program.said:
        server.program.signal(signal.SIGTERM)
    assert server.program.wait() == 0, server.program.said
    assert "Traceback" not in server.program.said, server.program.said


def reload(server: Secured, event: str) -> None:
    """Have it read its files, until its log tells of that."""
    before = server.program.said.count(event)
    server.program.signal(signal.SIGHUP)
    until(lambda: server.program.said.count(event) > before, event)


@ENGINES
def test_what_is_spoken(launch: Launch, tmp_path: Path, engine: str) -> None:
    """TLS 1.2 and 1.3, under it HTTP/2 where the engine can; and browsers are told to stay with it."""
    server = secured(launch, tmp_path, {"CODETETHER_ASGI": engine})
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=server.authority.ca)
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        with Line(context, server.ports[0]) as line:
            assert line.socket.version() == version.name.replace("_", ".")
            assert line.socket.selected_alpn_protocol() == ("h2" if engine == "hypercorn" else "http/1.1")
    with server.connect() as line:
        line.ask("GET", "/livez")
        answer = line.hear(b"alive")
    assert b"strict-transport-security: max-age=31536000\r\n" in answer
    with pytest.raises(ConnectionFailed, match="lost") as caught:
        Client(server.url.replace("https", "http"), patience=Patience(attempts=1)).version()
    assert "https://" in caught.value.hint
    leaves(server)


@ENGINES
def test_old_tls_is_refused(launch: Launch, tmp_path: Path, engine: str) -> None:
    """The server hangs up on a client that would take it."""
    server = secured(launch, tmp_path, {"CODETETHER_ASGI": engine})
    context = ssl.create_default_context(cafile=server.authority.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
        Line(context, server.ports[0])
    leaves(server)


@ENGINES
def test_a_renewed_certificate_under_an_open_stream(launch: Launch, tmp_path: Path, engine: str) -> None:
    """New connections see the new one; the stream that was open goes on and ends in order."""
    server = secured(launch, tmp_path, {"CODETETHER_ASGI": engine})
    with server.connect() as watcher:
        watcher.ask("GET", "/v1/monitor/stream")
        watcher.hear(b"\r\n\r\n")
        renewed = server.authority.issue("renewed")
        assert server.shown() != fingerprint_of(renewed[0])
        server.replace(*renewed)
        reload(server, "certificate_reloaded")
        assert server.shown() == fingerprint_of(renewed[0])
        with server.connect() as line:
            line.ask("POST", "/v1/agent/agents", '{"name": "reader"}')
            line.hear(b" 200 ")
            line.ask("POST", "/v1/agent/messages", '{"to": "reader", "body": "still there"}')
            line.hear(b" 200 ")
        watcher.hear(b"still there")
        server.program.signal(signal.SIGTERM)
        watcher.hear(b"0\r\n\r\n")
        leaves(server)
    assert "requests_cut" not in server.program.said


@ENGINES
def test_clients_that_neither_read_nor_answer(launch: Launch, tmp_path: Path, engine: str) -> None:
    """They do not hold up who leaves."""
    server = secured(launch, tmp_path, {"CODETETHER_ASGI": engine, "CODETETHER_DRAIN": "1s"})
    with server.connect() as deaf, server.connect() as speaker, server.half() as half:
        deaf.ask("GET", "/v1/monitor/stream")
        deaf.hear(b"\r\n\r\n")
        speaker.ask("POST", "/v1/agent/agents", '{"name": "reader"}')
        speaker.hear(b" 200 ")
        for number in range(12):
            speaker.ask("POST", "/v1/agent/messages", f'{{"to": "reader", "body": "{number}{"x" * 1_000_000}"}}')
            speaker.hear(b" 200 ")
        half.send(b"\x16\x03\x01")
        server.program.signal(signal.SIGTERM)
        assert server.program.wait() == 0, server.program.said
        assert "requests_cut" in server.program.said
        assert engine == "uvicorn" or "Traceback" not in server.program.said, server.program.said


def test_files_behind_links_that_are_swapped(launch: Launch, tmp_path: Path) -> None:
    """Nobody has to say so: Kubernetes changes a link, and the server sees it."""
    server = secured(launch, tmp_path, {})
    renewed = server.authority.issue("renewed")
    link = tmp_path / "..data"
    for version, (cert, key) in {"1": (server.cert, server.key), "2": renewed}.items():
        (tmp_path / version).mkdir()
        shutil.copy(cert, tmp_path / version / "tls.crt")
        shutil.copy(key, tmp_path / version / "tls.key")
    link.symlink_to("1")
    for path in (server.cert, server.key):
        path.unlink()
        path.symlink_to(f"..data/{path.name}")
    swapped = tmp_path / "..tmp"
    swapped.symlink_to("2")
    swapped.replace(link)
    until(lambda: server.shown() == fingerprint_of(renewed[0]), "the new certificate")
    leaves(server)


@ENGINES
def test_wrong_files_change_nothing(launch: Launch, tmp_path: Path, engine: str) -> None:
    """The log tells of them once, with the next step, and the old certificate stays until there are right ones."""
    server = secured(launch, tmp_path, {"CODETETHER_ASGI": engine})
    old, renewed = server.shown(), server.authority.issue("renewed")
    shutil.copy(renewed[0], server.cert)  # and not its key
    reload(server, "certificate_not_reloaded")
    assert "which is not the key of" in server.program.said
    assert "the old one is in force" in server.program.said
    assert server.shown() == old
    server.key.unlink()
    until(lambda: "which cannot be read" in server.program.said, "the missing key")
    assert server.shown() == old
    shutil.copy(renewed[1], server.key)
    reload(server, "certificate_reloaded")
    assert server.shown() == fingerprint_of(renewed[0])
    leaves(server)


def gets_in(server: Secured, shows: tuple[Path, Path] | None) -> bool:
    """Whether the port for clients with a certificate answers."""
    try:
        with server.connect(shows=shows, at=1) as line:
            line.ask("GET", "/livez")
            line.hear(b"alive")
    except (ssl.SSLError, ConnectionError):
        return False
    return True


@ENGINES
def test_clients_that_must_have_a_certificate(launch: Launch, tmp_path: Path, engine: str) -> None:
    """One of the authority's, which may change; and a token is needed all the same."""
    settings = {"CODETETHER_MTLS_PORT": "0", "CODETETHER_MTLS_CA": str(tmp_path / "ca.crt")}
    server = secured(launch, tmp_path, {"CODETETHER_ASGI": engine, **settings})
    others = Authority(tmp_path / "others")
    ours, foreign = server.authority.issue("alice"), others.issue("mallory")
    assert [gets_in(server, shows) for shows in (None, foreign, ours)] == [False, False, True]
    with server.connect(shows=ours, at=1) as line:
        line.ask("GET", "/v1/agent/tasks", token="wrong")
        line.hear(b" 401 ")
    with server.connect() as line:  # everybody's port asks for none
        line.ask("GET", "/livez")
        line.hear(b"alive")
    shutil.copy(others.ca, server.ca)
    reload(server, "certificate_reloaded")
    assert [gets_in(server, shows) for shows in (None, foreign, ours)] == [False, True, False]
    leaves(server)


def test_our_clients(launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They trust an authority of one's own where they are told to, and say what is missing where they are not."""
    settings = {"CODETETHER_MTLS_PORT": "0", "CODETETHER_MTLS_CA": str(tmp_path / "ca.crt")}
    server = secured(launch, tmp_path, settings)
    with pytest.raises(ConnectionFailed, match="is not trusted: unable to get local issuer") as caught:
        Client(server.url).version()  # not asked again, as nothing would change
    assert "CODETETHER_CA=" in caught.value.hint
    with pytest.raises(ConnectionFailed, match="is not trusted: Hostname mismatch") as caught:
        Client(server.url.replace("127.0.0.1", "localhost"), tls=tls_with(ca=server.ca)).version()
    assert "by a name that its certificate has" in caught.value.hint
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
    with Client(server.url) as client:
        client.version()
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("CODETETHER_CA", str(server.ca))
    with Client(server.url) as client:
        client.version()
    certified = f"https://127.0.0.1:{server.ports[1]}"
    with pytest.raises(ConnectionFailed), Client(certified, patience=Patience(attempts=1)) as client:
        client.version()
    cert, key = server.authority.issue("alice")
    monkeypatch.setenv("CODETETHER_CLIENT_CERT", str(cert))
    monkeypatch.setenv("CODETETHER_CLIENT_KEY", str(key))
    with Client(certified, token=TOKEN) as client:
        assert client.tasks.list() == ()
    leaves(server)


def test_everything_in_one_process(launch: Launch, tmp_path: Path) -> None:
    """The worker of ``codetether up`` trusts its own server, whoever signed the certificate and whenever it changes."""
    (tmp_path / "work").mkdir()
    settings = {"CODETETHER_CODEBASES": f"work:{tmp_path / 'work'}"}
    server = secured(launch, tmp_path, settings, module="codetether_apps.standalone")
    others = Authority(tmp_path / "others")
    with Client(server.url, token=TOKEN, tls=tls_with(ca=server.ca)) as client:
        until(client.codebases.list, "the worker's registration")
        assert client.tasks.run("before", codebase="work", agent="echo").wait().status == "completed"
    server.replace(*others.issue("server", "127.0.0.2"))
    reload(server, "certificate_reloaded")
    context = tls_with(ca=others.ca)
    context.check_hostname = False
    with Client(server.url, token=TOKEN, tls=context) as client:
        assert client.tasks.run("after", codebase="work", agent="echo").wait().status == "completed"
    leaves(server)
