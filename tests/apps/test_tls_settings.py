"""What is told of TLS that is half set, or whose files are wrong: the setting, and the next step."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from codetether_adapters.client import tls_with
from codetether_apps.serving import open_tls, reloading
from codetether_apps.settings import SettingsError, client_tls, read_settings
from codetether_core.errors import Invalid
from tests.apps.conftest import Launch
from tests.servers.tls import Authority

CERT, KEY, CA, PORT = (f"CODETETHER_{name}" for name in ("TLS_CERT", "TLS_KEY", "MTLS_CA", "MTLS_PORT"))


@pytest.fixture
def right(tmp_path: Path) -> dict[str, str]:
    """Settings with which it works."""
    authority = Authority(tmp_path / "ours")
    cert, key = authority.issue("server")
    return {CERT: str(cert), KEY: str(key), PORT: "0", CA: str(authority.ca)}


def refusal(directory: Path, settings: dict[str, str]) -> SettingsError:
    """What a mistake is told."""
    with pytest.raises(SettingsError) as caught:
        open_tls(read_settings(environment=settings, directory=directory, config=None))
    return caught.value


def test_right_ones_and_none(tmp_path: Path, right: dict[str, str]) -> None:
    """Without settings there is no TLS; with them it demands certificates on the one port only."""
    assert open_tls(read_settings(environment={}, directory=tmp_path)) is None
    tls = open_tls(read_settings(environment=right, directory=tmp_path))
    assert tls is not None
    assert tls.anybody.verify_mode == ssl.CERT_NONE
    assert tls.certified is not None
    assert tls.certified.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("missing", "given"),
    [(KEY, "server.tls_cert"), (CERT, "server.tls_key"), (CA, "server.mtls_port"), (PORT, "server.mtls_ca")],
)
def test_half_of_it(tmp_path: Path, right: dict[str, str], missing: str, given: str) -> None:
    """The one that is missing is named, with the one that needs it."""
    error = refusal(tmp_path, {name: value for name, value in right.items() if name != missing})
    assert error.message.startswith(f"{given} (environment ")
    assert f"needs server.{missing.removeprefix('CODETETHER_').lower()}, which is not set" in error.message
    assert error.hint.startswith(f"set {missing} ")


def test_a_port_for_certificates_without_one_of_our_own(tmp_path: Path, right: dict[str, str]) -> None:
    """Clients want to see one too."""
    error = refusal(tmp_path, {PORT: right[PORT], CA: right[CA]})
    assert "server.mtls_port" in error.message
    assert error.hint.startswith(f"set {CERT} and {KEY}")


def _not_there(path: Path) -> None:
    path.unlink()


def _a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _rubbish(path: Path) -> None:
    path.write_text("rubbish")


def _nothing(path: Path) -> None:
    path.write_text("")


@pytest.mark.parametrize("name", [CERT, KEY, CA])
@pytest.mark.parametrize("spoil", [_not_there, _a_directory, _rubbish, _nothing])
def test_files_that_are_none(tmp_path: Path, right: dict[str, str], name: str, spoil: Callable[[Path], None]) -> None:
    """Not there, not readable, not what they should be."""
    spoil(Path(right[name]))
    error = refusal(tmp_path, right)
    setting = f"server.{name.removeprefix('CODETETHER_').lower()}"
    assert error.message.startswith(f"{setting} (environment {name}) names {right[name]}, wh")
    assert error.hint


def test_a_key_of_another_certificate(tmp_path: Path, right: dict[str, str]) -> None:
    """The key is at fault."""
    shutil.copy(Authority(tmp_path / "others").issue("other")[1], right[KEY])
    assert f"server.tls_key (environment {KEY}) names {right[KEY]}, which is not the key of" in str(
        refusal(tmp_path, right)
    )


def test_a_key_with_a_password(tmp_path: Path, right: dict[str, str]) -> None:
    """Nobody is there to enter it, so nobody is asked."""
    key = serialization.load_pem_private_key(Path(right[KEY]).read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    Path(right[KEY]).write_bytes(locked)
    assert "no private key in PEM without a password" in str(refusal(tmp_path, right))


def test_a_certificate_that_has_expired(launch: Launch, tmp_path: Path, right: dict[str, str]) -> None:
    """One sentence, and the exit code of a wrong setting."""
    Authority(tmp_path / "late").issue("server", lasts=-timedelta(hours=1))
    settings = {**right, CERT: str(tmp_path / "late" / "server.pem"), KEY: str(tmp_path / "late" / "server.key")}
    assert "which expired at" in str(refusal(tmp_path, settings))
    server = launch(tmp_path / "log", settings, "-m", "codetether_apps.server")
    assert server.wait() == 2
    assert server.said.startswith(f"codetether: server.tls_cert (environment {CERT}) names ")
    assert server.said.endswith("UTC: have it issued anew\n")
    assert server.said.count("\n") == 1


def test_what_clients_are_told(tmp_path: Path, right: dict[str, str]) -> None:
    """The setting, whether it is a program of ours or one that uses the library."""
    with pytest.raises(Invalid, match="client_key"):
        tls_with(ca=Path(right[CA]), cert=Path(right[CERT]))
    with pytest.raises(Invalid, match="cannot be read"):
        tls_with(ca=tmp_path / "nowhere")
    settings = {"CODETETHER_SERVER": "https://x", "CODETETHER_CA": right[KEY]}
    with pytest.raises(SettingsError, match=r"client\.ca \(environment CODETETHER_CA\) names .* no certificate in PEM"):
        client_tls(read_settings(environment=settings, directory=tmp_path))
    plain = {**settings, "CODETETHER_SERVER": "http://x"}
    assert client_tls(read_settings(environment=plain, directory=tmp_path)) is None


def test_a_certificate_is_not_shown_for_others(tmp_path: Path) -> None:
    """Not even read, where it is not to be shown."""
    shown = {"CODETETHER_CLIENT_CERT": str(tmp_path / "none"), "CODETETHER_CLIENT_KEY": str(tmp_path / "none")}
    settings = read_settings(environment={"CODETETHER_SERVER": "https://x", **shown}, directory=tmp_path)
    assert client_tls(settings, certificate=False) is None
    with pytest.raises(SettingsError, match="client_cert"):
        client_tls(settings)


@pytest.mark.anyio
async def test_what_changes_before_anybody_watches_is_seen(tmp_path: Path, right: dict[str, str]) -> None:
    """The files were read a moment before the first look at them."""
    tls = open_tls(read_settings(environment=right, directory=tmp_path, config=None))
    assert tls is not None
    first = tls.tried
    for name, new in zip((CERT, KEY), Authority(tmp_path / "others").issue("renewed"), strict=True):
        new.replace(right[name])
    async with reloading(tls):
        while tls.tried == first:  # noqa: ASYNC110 - files raise no events
            await asyncio.sleep(0.05)
    assert tls.tried == tls.fingerprint()
