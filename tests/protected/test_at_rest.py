"""With encryption on nothing that anybody writes can be read in what is on the disk: real servers, real files."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.programs import ROOT
from tests.http.server import TOKEN, serving
from tests.protected.everywhere import CLEAR, FILE, WRITTEN, Everywhere, members
from tests.servers.valkey import Valkey

KEY = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "k2:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ON = {"CODETETHER_ENCRYPT": "on", "CODETETHER_ENCRYPTION_KEYS": KEY}
OFF = {"CODETETHER_ENCRYPTION_KEYS": KEY}


@contextmanager
def server(directory: Path, settings: Mapping[str, str]) -> Iterator[httpx.Client]:
    """One more of the store in the directory."""
    (own := directory / f"server-{len([*directory.iterdir()])}").mkdir()
    with (
        serving(own, {"CODETETHER_DATA_DIR": str(directory / "kept"), **settings}) as running,
        httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client,
    ):
        yield client


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": "/nowhere", **settings}
    return subprocess.run(
        [sys.executable, "-m", "codetether_apps.cli", *arguments], env=environment, capture_output=True, text=True
    )


def contents(directory: Path) -> bytes:
    """Every byte of every file below, unpacked where it is packed."""
    found = []
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found.append(gzip.decompress(data) if path.suffix == ".backup" else data)
    return b"\0".join(found)


def found_in(everywhere: Everywhere, data: bytes) -> list[tuple[str, str]]:
    return [where for where, words in everywhere.words.items() if any(word.encode() in data for word in words)]


def backup_of(client: httpx.Client, file: Path) -> None:
    made = command("backup", "--online", str(file), CODETETHER_SERVER=str(client.base_url), CODETETHER_TOKEN=TOKEN)
    assert made.returncode == 0, made.stderr


def test_every_member_of_every_request_was_thought_of() -> None:
    """A new one is either written by somebody, and encrypted, or stays readable on purpose."""
    known = {member for _, member in members()}
    assert not WRITTEN & CLEAR
    assert known <= WRITTEN | CLEAR, known - WRITTEN - CLEAR
    assert known >= WRITTEN


@pytest.mark.parametrize("settings", [ON, OFF], ids=["on", "off"])
def test_nothing_that_was_written_is_on_the_disk(tmp_path: Path, settings: Mapping[str, str]) -> None:
    """Neither in the database and its log, nor among the files, in the server's log or a backup. Without encryption
    all of it is: so this can fail.
    """
    with server(tmp_path, settings) as client:
        everywhere = Everywhere(client)
        everywhere.fill()
        wanted = {(route, member) for route, member in members() if member in WRITTEN}
        assert wanted <= everywhere.words.keys(), wanted - everywhere.words.keys()
        backup_of(client, tmp_path / "all.backup")
        data = contents(tmp_path)
        (tmp_path / "all.backup").rename(tmp_path / "kept.gz")
        if settings is ON:
            assert found_in(everywhere, data) == []
        else:
            assert found_in(everywhere, data) == [*everywhere.words]
            assert len(found_in(everywhere, gzip.decompress((tmp_path / "kept.gz").read_bytes()))) > 20
    assert bool(found_in(everywhere, contents(tmp_path))) == (settings is OFF)


@pytest.mark.parametrize("settings", [ON, OFF], ids=["on", "off"])
def test_nothing_that_was_written_is_in_redis(tmp_path: Path, settings: Mapping[str, str]) -> None:
    """Neither in the log of its commands nor in what it saves of its memory. Without encryption all is in both."""
    plain = ("--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--rdbcompression", "no", "--dbfilename", "all.rdb")
    with closing(Valkey(*plain).start()) as valkey:
        shared = {"CODETETHER_STORE": valkey.url, "CODETETHER_BLOBS": f"file://{tmp_path}/kept/blobs"}
        with server(tmp_path, {**settings, **shared}) as client:
            everywhere = Everywhere(client)
            everywhere.fill()
        valkey.ask("SAVE")
        memory = (valkey.directory / "all.rdb").read_bytes()
        commands = contents(valkey.directory / "appendonlydir")
    assert memory.startswith((b"REDIS", b"VALKEY")) and b"SELECT" in commands
    written_over = {("POST /v1/agent/agents", "capabilities")}
    for data, gone in ((memory, written_over), (commands, set())):
        missing = everywhere.words.keys() - found_in(everywhere, data) - {FILE}
        assert missing == (everywhere.words.keys() - {FILE} if settings is ON else gone)
    assert bool(found_in(everywhere, contents(tmp_path))) == (settings is OFF)


def filled(client: httpx.Client, mark: str) -> None:
    task = client.post("/v1/agent/tasks", json={"prompt": mark, "title": mark, "codebase_id": "global"}).json()["id"]
    claim = client.post("/v1/worker/tasks/claim", json={"task_id": task, "worker_id": "w1", "lease": True}).json()
    words = {"X-Lease-Token": claim["lease"]["token"], "X-Worker-ID": "w1"}
    at = f"/v1/agent/tasks/{task}"
    client.post(f"{at}/output", json={"worker_id": "w1", "output": mark}, headers=words)
    client.put(f"{at}/artifacts/{mark}.txt", content=mark.encode() * 20_000, headers=words)
    client.put(f"{at}/status", json={"worker_id": "w1", "status": "completed", "result": mark}, headers=words)


def told(client: httpx.Client) -> dict[str, tuple[Any, ...]]:
    """All that there is to read of tasks, by their titles."""
    found = {}
    for task in client.get("/v1/agent/tasks").json():
        at, mark = f"/v1/agent/tasks/{task['id']}", task["title"]
        output = [each["output"] for each in client.get(f"{at}/output").json()["outputs"]]
        file = client.get(f"{at}/artifacts/{mark}.txt")
        log = client.get(f"{at}/log").text
        found[mark] = task["prompt"], task["result"], output, file.text == mark * 20_000, log.count(mark)
    return found


def test_it_may_be_turned_on_and_off(tmp_path: Path) -> None:
    """What is there stays as it is, and is read either way."""
    for mark, settings in (("before", OFF), ("while", ON), ("after", OFF), ("again", ON)):
        with server(tmp_path, settings) as client:
            filled(client, f"{mark}-it-was-on")
            state = client.get("/v1/encryption").json()
            assert state["at_rest"] == (settings is ON)
            present = told(client)
            assert f"{mark}-it-was-on" in present
            for title, (prompt, result, output, whole, mentioned) in present.items():
                assert (prompt, result, output, whole) == (title, title, [title], True)
                assert mentioned >= 3
    data = contents(tmp_path)
    # names of files are no secret
    assert data.count(b"before-it-was-on" * 5) and data.count(b"after-it-was-on" * 5)
    assert not data.count(b"while-it-was-on" * 5) and b'"prompt":"again-it-was-on' not in data


def test_what_is_encrypted_cannot_be_searched(tmp_path: Path) -> None:
    """Which is said; without a text everything is listed."""
    with server(tmp_path, ON) as client:
        codebase = client.post("/v1/agent/codebases", json={"name": "demo", "path": "/srv/demo"}).json()["id"]
        at = f"/v1/agent/codebases/{codebase}/sessions"
        client.post(f"{at}/s1/ingest", json={"session": {"title": "Fix"}, "messages": []})
        for path in ("/v1/monitor/messages/search?q=fix", f"{at}?q=fix"):
            refused = client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (501, "search_unavailable")
        assert [each["title"] for each in client.get(at).json()["sessions"]] == ["Fix"]
        assert client.get("/v1/monitor/messages").json()
        where = {"CODETETHER_SERVER": str(client.base_url), "CODETETHER_TOKEN": TOKEN}
        refusal = command("session", "list", "demo", "--search", "fix", **where)
        assert refusal.returncode != 0
        assert "because everything is encrypted" in refusal.stderr
    with server(tmp_path, OFF) as client:
        assert client.get(f"{at}?q=fix").status_code == 200


def test_a_backup_is_restored_where_its_keys_are(tmp_path: Path) -> None:
    """It is encrypted as the store is, says which keys it takes, and leaves another installation as it was."""
    file = tmp_path / "all.backup"
    with server(tmp_path, ON) as client:
        filled(client, "of-the-old-one")
        backup_of(client, file)
        before = told(client)
    assert b"of-the-old-one" * 5 not in gzip.decompress(file.read_bytes())
    checked = command("verify", str(file))
    assert checked.returncode == 0 and "takes k1" in checked.stderr
    there = {"CODETETHER_DATA_DIR": str(tmp_path / "other" / "kept")}
    refused = command("restore", str(file), CODETETHER_ENCRYPTION_KEYS=OTHER, **there)
    assert refused.returncode != 0
    assert "k1 is missing here" in refused.stderr
    restored = command("restore", str(file), CODETETHER_ENCRYPTION_KEYS=f"{OTHER},{KEY}", **there)
    assert restored.returncode == 0, restored.stderr
    both = {"CODETETHER_ENCRYPT": "on", "CODETETHER_ENCRYPTION_KEYS": f"{OTHER},{KEY}"}
    with server(tmp_path / "other", both) as client:
        assert told(client) == before
        assert client.post("/v1/encryption/rotate", json={}).json()["rewrapped"] == 1
    with server(tmp_path / "other", {**both, "CODETETHER_ENCRYPTION_KEYS": OTHER}) as client:
        assert told(client) == before


def test_what_looks_encrypted_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Nobody can write what would be taken for encrypted, whether or not it is on."""
    for settings in (OFF, ON, OFF):
        with server(tmp_path, settings) as client:
            for text in ("ct1.key-000001.AAAA", "ct0.[]", "ct1."):
                task = client.post("/v1/agent/tasks", json={"prompt": text, "metadata": {"ct": text}}).json()
                assert client.get(f"/v1/agent/tasks/{task['id']}").json()["prompt"] == text
                assert task["metadata"] == {"ct": text}
            assert json.dumps(client.get("/v1/agent/tasks").json()).count("ct0.[]")
