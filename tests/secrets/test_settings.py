"""References to secrets in settings, and secrets in a mounted directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from codetether_apps.settings import (
    Reference,
    Settings,
    SettingsError,
    described,
    misspelt_variables,
    read_settings,
    references,
    resolved,
    table,
)
from codetether_apps.wiring.secret_sources import SERVERS

KEPT = "vault:secret/team/codetether#store"


@pytest.fixture(autouse=True)
def _nobodys_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No file of this machine's user counts."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def read(directory: Path, **environment: str) -> Settings:
    """The settings of this environment alone."""
    return read_settings(environment=environment, directory=directory)


def test_a_reference_is_shown_and_stands_for_nothing_else(tmp_path: Path) -> None:
    """No vault is needed to show it; nobody who uses it takes the default for it."""
    settings = read(tmp_path, CODETETHER_STORE=KEPT)
    (shown,) = [each for each in described(settings) if each.name == "storage.store"]
    assert shown[1:] == (KEPT, "environment CODETETHER_STORE")
    assert isinstance(settings.store_url, Reference)
    with pytest.raises(AttributeError):
        settings.store_url.partition(":")


def test_every_secret_can_be_one_but_those_that_open_the_vault(tmp_path: Path) -> None:
    rows = [row for row in table() if row.secret]
    for row in rows:
        if row.name.startswith("vault."):
            with pytest.raises(SettingsError, match=rf"{row.name} .* must be the secret itself"):
                read(tmp_path, **{row.variable: KEPT})
        else:
            found = dict(references(read(tmp_path, **{row.variable: KEPT}), row.name.partition(".")[0]))
            assert {name: str(each) for name, each in found.items()} == {row.name: KEPT}
    assert {"vault.token", "storage.store", "auth.tokens", "client.token"} <= {row.name for row in rows}


def test_whatever_says_it(tmp_path: Path) -> None:
    """A file, the settings file, or a name of the deployed system, which is read as that is."""
    (tmp_path / "store").write_text(f"{KEPT}\n")
    (tmp_path / "codetether.toml").write_text(f'[auth]\nsecret_key = "{KEPT}"\n')
    settings = read(tmp_path, CODETETHER_STORE_FILE=str(tmp_path / "store"), A2A_AUTH_TOKENS=KEPT)
    assert {*dict(references(settings, "storage", "auth"))} == {"storage.store", "auth.secret_key", "auth.tokens"}
    assert dict(references(settings, "client")) == {}
    (token,) = resolved(settings, {"auth.tokens": "me:hush:admin"}).auth.tokens
    assert token.token == "hush:admin"


@pytest.mark.parametrize(
    "text", ["vault:store", "vault:secret/store", "vault:secret#store", "vault:a/b#", "vault:a b/c#d"]
)
def test_what_fails_to_be_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, CODETETHER_TOKEN=text)
    assert caught.value.message == (
        "client.token (environment CODETETHER_TOKEN) must be vault:MOUNT/PATH#FIELD where it is kept in a vault"
    )


def test_somebody_called_vault(tmp_path: Path) -> None:
    (token,) = read(tmp_path, CODETETHER_TOKENS="vault:hush/hush:viewer").auth.tokens
    assert (token.name, token.token) == ("vault", "hush/hush")


def test_the_secrets_take_their_places(tmp_path: Path) -> None:
    """They say where they are from; what cannot be right is refused, and not repeated."""
    settings = read(tmp_path, CODETETHER_STORE=KEPT, CODETETHER_TOKENS="me:mine")
    known = resolved(settings, {"storage.store": "postgresql://u:hush@h/d\n"})
    assert known.store_url == "postgresql://u:hush@h/d"
    assert known.auth == settings.auth
    assert known.origin("storage.store") == f"{KEPT}, from environment CODETETHER_STORE"
    assert dict(references(known, "storage")) == {}
    assert "hush" not in repr(known)
    with pytest.raises(SettingsError) as caught:
        resolved(settings, {"storage.store": "hush"})
    assert f"storage.store ({KEPT}, from environment CODETETHER_STORE) must be a URL" in caught.value.message
    assert "hush" not in caught.value.message


def test_a_server_reads_all_of_its_own(tmp_path: Path) -> None:
    """And nothing that is a worker's or a command's."""
    settings = read(
        tmp_path,
        **{
            row.variable: KEPT
            for row in table()
            if row.secret and not row.name.startswith("vault.") and not row.kind.many
        },
    )
    assert dict(references(settings, *SERVERS)).keys() == {
        "storage.store",
        "storage.store_keeper",
        "storage.notifier",
        "storage.blobs",
        "auth.secret_key",
        "oidc.client_secret",
        "limits.store",
    }
    assert "hush" not in str(described(resolved(settings, {"oidc.client_secret": "hush"})))


def test_a_mounted_directory(tmp_path: Path) -> None:
    """As Kubernetes has it: links to a directory that is swapped as a whole. The environment goes first."""
    version, mounted = tmp_path / "..2026_11_28", tmp_path / "secrets"
    version.mkdir()
    mounted.mkdir()
    (mounted / "..data").symlink_to(version)
    for name, text in {
        "CODETETHER_STORE": "memory://\n",
        "CODETETHER_TOKENS": "me:mounted\n",
        "A2A_AUTH_TOKEN": "other\n",
        "CODETETHER_PORT": "8123\n",
        "CODETETHER_SECRET_KEY": "",
    }.items():
        (version / name).write_text(text)
        (mounted / name).symlink_to(Path("..data") / name)
    (tmp_path / "codetether.toml").write_text('[storage]\nstore = "sqlite:////x.db"\n')
    settings = read(tmp_path, CODETETHER_SECRETS_DIR=str(mounted), CODETETHER_TOKENS="me:said")
    assert settings.store_url == "memory://"
    assert settings.origin("storage.store") == f"file {mounted}/CODETETHER_STORE (CODETETHER_SECRETS_DIR)"
    assert settings.auth.tokens[0].token == "said"
    assert settings.origin("auth.tokens") == "environment CODETETHER_TOKENS"
    assert settings.client.token == "other"
    assert settings.server.port == 8123
    assert settings.auth.secret_key is None


def test_a_mounted_directory_that_is_wrong(tmp_path: Path) -> None:
    """It is not there, or something in it is misspelt or no text."""
    with pytest.raises(SettingsError, match=r"CODETETHER_SECRETS_DIR names .* cannot be looked into"):
        read(tmp_path, CODETETHER_SECRETS_DIR=str(tmp_path / "nowhere"))
    (tmp_path / "CODETETHER_TOKEN").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"CODETETHER_SECRETS_DIR names .*TOKEN, which is not text"):
        read(tmp_path, CODETETHER_SECRETS_DIR=str(tmp_path))
    (tmp_path / "CODETETHER_STOER").write_text("memory://")
    assert misspelt_variables({"CODETETHER_SECRETS_DIR": str(tmp_path)}) == {"CODETETHER_STOER": "CODETETHER_STORE"}
