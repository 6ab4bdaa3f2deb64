"""Keys are exchanged while everything stays readable: real servers, one after the other, over one store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_bytes, token_hex
from threading import Thread
from typing import Any

import httpx
import pytest

from codetether_apps.settings.encryption import KEY_BYTES, GivenKey
from tests.e2e.engines import store_settings
from tests.e2e.programs import until
from tests.http.server import TOKEN, Server, serving


def made() -> str:
    """A key like those that our command prints."""
    return str(GivenKey(f"k{token_hex(4)}", token_bytes(KEY_BYTES)))


def name_of(key: str) -> str:
    return key.partition(":")[0]


@contextmanager
def server(directory: Path, *keys: str, **more: str) -> Iterator[httpx.Client]:
    """One more of the store in the directory; none of them says a key."""
    settings = {"CODETETHER_ENCRYPTION_KEYS": ",".join(keys), "CODETETHER_DATA_DIR": str(directory / "kept"), **more}
    directory.mkdir(exist_ok=True)
    (own := directory / f"server-{len([*directory.iterdir()])}").mkdir()
    with (
        serving(own, {name: value for name, value in settings.items() if value}) as running,
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
        assert rotate(client, data_key=True) == {"rewrapped": 0, "added": "key-000001", "tenants": 1}
    with server(tmp_path, new) as client:
        assert uses(client) == {name_of(old): (1, False)}
        refused = client.post("/v1/encryption/rotate", json={})
        assert (refused.status_code, refused.json()["code"]) == (501, "not_configured")
        assert name_of(old) in refused.json()["detail"]
    with server(tmp_path, new, old) as client:
        assert rotate(client, all_tenants=True) == {"rewrapped": 1, "added": None, "tenants": 1}
    with server(tmp_path, new) as client:
        assert uses(client) == {name_of(new): (1, True)}
    with server(tmp_path, newest, new) as client:  # which it can be read with
        assert rotate(client, data_key=True) == {"rewrapped": 1, "added": "key-000002", "tenants": 1}
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
        assert rotate(client)["rewrapped"] == 1
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


def submitted(client: httpx.Client, text: str) -> str:
    answer = client.post("/v1/agent/tasks", json={"prompt": text, "title": text})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def test_a_rotation_that_is_killed_is_done_again(tmp_path: Path) -> None:
    """Every data key is under one key or the other at any moment, and nothing is lost."""
    old, new = made(), made()
    tasks = {}
    with server(tmp_path, old, CODETETHER_ENCRYPT="on") as client:
        for number in range(40):
            rotate(client, data_key=True)
            if number % 8 == 0:
                tasks[submitted(client, f"text {number}")] = f"text {number}"
    (own := tmp_path / "killed").mkdir()
    more = {"CODETETHER_DATA_DIR": str(tmp_path / "kept"), "CODETETHER_ENCRYPTION_KEYS": f"{new},{old}"}
    with killed(own, more) as (running, client):
        rotating = Thread(target=lambda: suppressed(httpx.HTTPError, rotate, client))
        rotating.start()
        with httpx.Client(base_url=running.url, headers=client.headers) as watching:
            until(lambda: uses(watching).get(name_of(new)), "the first data key under the new key")
        running.program.kill()
        rotating.join()
    with server(tmp_path, new, old) as client:
        assert sum(count for count, _ in uses(client).values()) == 40
        rotate(client)
        assert uses(client) == {name_of(new): (40, True)}
    with server(tmp_path, new) as client:
        for id, text in tasks.items():
            assert client.get(f"/v1/agent/tasks/{id}").json()["prompt"] == text


def test_everything_goes_on_during_a_rotation(tmp_path: Path) -> None:
    """Tasks are submitted and read while keys are exchanged, again and again."""
    old, new = made(), made()
    with server(tmp_path, old, CODETETHER_ENCRYPT="on") as client:
        submitted(client, "first")
    with server(tmp_path, new, old, CODETETHER_ENCRYPT="on") as client, ThreadPoolExecutor(4) as pool:
        texts = [f"text {number}" for number in range(120)]
        submitting = [pool.submit(submitted, client, text) for text in texts]
        for _ in range(10):
            rotate(client, data_key=True)
        ids = [each.result() for each in submitting]
    with server(tmp_path, new, CODETETHER_ENCRYPT="on") as client:
        assert uses(client) == {name_of(new): (11, True)}
        for id, text in zip(ids, texts, strict=True):
            assert client.get(f"/v1/agent/tasks/{id}").json()["prompt"] == text


def test_one_replica_rotates_and_the_other_goes_on(tmp_path: Path) -> None:
    """Over one database: it reads what the first wrote under a new data key, and the old key may go at both."""
    old, new = made(), made()
    store = {**store_settings("postgresql"), "CODETETHER_ENCRYPT": "on"}
    with server(tmp_path / "one", old, **store) as one, server(tmp_path / "two", old, **store) as two:
        before = submitted(one, "before")
        assert rotate(one, data_key=True)["added"]
        after = submitted(one, "after")
        other = submitted(two, "other")
        for client in (one, two):
            for id, text in ((before, "before"), (after, "after"), (other, "other")):
                assert client.get(f"/v1/agent/tasks/{id}").json()["prompt"] == text
    with server(tmp_path / "one", new, old, **store) as one, server(tmp_path / "two", old, new, **store) as two:
        assert rotate(one)["rewrapped"] == 2
        assert two.get(f"/v1/agent/tasks/{before}").json()["prompt"] == "before"
        assert uses(two) == {name_of(new): (2, True)}
    with server(tmp_path / "two", new, **store) as two:
        assert [two.get(f"/v1/agent/tasks/{id}").json()["prompt"] for id in (before, other)] == ["before", "other"]


@contextmanager
def killed(directory: Path, more: Mapping[str, str]) -> Iterator[tuple[Server, httpx.Client]]:
    """A server that somebody ends within."""
    with (
        serving(directory, more, leaves=False) as running,
        httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client,
    ):
        yield running, client


def suppressed(error: type[Exception], call: Callable[..., Any], *arguments: Any) -> None:
    with suppress(error):
        call(*arguments)
