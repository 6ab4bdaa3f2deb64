"""Keys are exchanged while everything stays readable: real servers, one after the other, over one store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.http.server import TOKEN, serving


def made() -> str:
    """A key as our command prints it."""
    printed = subprocess.run(
        [sys.executable, "-m", "codetether_apps.cli", "encryption", "new-key"],
        capture_output=True,
        check=True,
        text=True,
    )
    return printed.stdout.strip()


def name_of(key: str) -> str:
    return key.partition(":")[0]


@contextmanager
def server(directory: Path, *keys: str, **more: str) -> Iterator[httpx.Client]:
    """One more of the store in the directory; none of them says a key."""
    settings = {"CODETETHER_ENCRYPTION_KEYS": ",".join(keys), "CODETETHER_DATA_DIR": str(directory / "kept"), **more}
    (own := directory / f"server-{len([*directory.iterdir()])}").mkdir()
    with (
        serving(own, **{name: value for name, value in settings.items() if value}) as running,
        httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        yield client
        assert not any(key.partition(":")[2] in running.program.said for key in keys)


def rotate(client: httpx.Client, **body: Any) -> Any:
    return client.post("/v1/encryption/rotate", json=body).json()


def uses(client: httpx.Client) -> dict[str, tuple[int, bool]]:
    told = client.get("/v1/encryption").json()
    return {each["id"]: (each["data_keys"], each["available"]) for each in told["keys"] if each["data_keys"]}


def test_an_old_key_may_go_after_a_rotation(tmp_path: Path) -> None:
    """And before it is missed, by its name."""
    old, new, newest = made(), made(), made()
    with server(tmp_path, old) as client:
        assert rotate(client, data_key=True) == {"rewrapped": 0, "added": "key-000001"}
    with server(tmp_path, new) as client:
        assert uses(client) == {name_of(old): (1, False)}
        refused = client.post("/v1/encryption/rotate", json={})
        assert (refused.status_code, refused.json()["code"]) == (501, "not_configured")
        assert name_of(old) in refused.json()["detail"]
    with server(tmp_path, new, old) as client:
        assert rotate(client) == {"rewrapped": 1, "added": None}
    with server(tmp_path, new) as client:
        assert uses(client) == {name_of(new): (1, True)}
    with server(tmp_path, newest, new) as client:  # which it can be read with
        assert rotate(client, data_key=True) == {"rewrapped": 1, "added": "key-000002"}
        assert uses(client) == {name_of(newest): (2, True)}


def test_without_a_setting_the_secret_key_gives_one(tmp_path: Path) -> None:
    """What is under it can still be read when there is another; another secret is told from it."""
    first, second = "x" * 32, "y" * 32
    with server(tmp_path, CODETETHER_SECRET_KEY=first) as client:
        assert rotate(client, data_key=True)["added"] == "key-000001"
        ((name, use),) = uses(client).items()
        assert name.startswith("secret-key-")
        assert use == (1, True)
    with server(tmp_path, CODETETHER_SECRET_KEY=second) as client:
        assert uses(client) == {name: (1, False)}
        assert "CODETETHER_SECRET_KEY" in client.post("/v1/encryption/rotate", json={}).json()["hint"]
    given = made()
    with server(tmp_path, given, CODETETHER_SECRET_KEY=first) as client:
        assert rotate(client) == {"rewrapped": 1, "added": None}
        assert uses(client) == {name_of(given): (1, True)}


@pytest.mark.parametrize("kept", ["a file of its own", "a mounted directory"])
def test_keys_may_be_kept_in_files(tmp_path: Path, kept: str) -> None:
    key = made()
    (tmp_path / "mounted").mkdir()
    file = tmp_path / "mounted" / "CODETETHER_ENCRYPTION_KEYS"
    file.write_text(f"{key}\n")
    own = kept == "a file of its own"
    setting = {"CODETETHER_ENCRYPTION_KEYS_FILE": str(file)} if own else {"CODETETHER_SECRETS_DIR": str(file.parent)}
    with server(tmp_path, **setting) as client:
        assert client.get("/v1/encryption").json()["key"] == name_of(key)
