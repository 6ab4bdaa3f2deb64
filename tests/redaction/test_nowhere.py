"""No registered secret is anywhere: not in the store's files, a stream, an answer, the log, the trail, a backup."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codetether_adapters.client import Client
from codetether_core.errors import CodeTetherError
from codetether_core.redaction import forms, require_secret
from codetether_core.tasks import OutputChunk
from tests.http.server import TOKEN, serving

HEADERS: Final = {"Authorization": f"Bearer {TOKEN}"}
NUMBERS = count()
VALUES = st.text('abcdefgh0123456789-_/+=."\\é\n', min_size=8, max_size=30).map(lambda text: f"k{text}k")
CUTS = st.lists(st.integers(0, 200), max_size=12).map(sorted)


class Place:
    """A server, what was ever heard from it, and where it keeps what it was told."""

    def __init__(self, url: str, directory: Path) -> None:
        self.client = Client(url, token=TOKEN)
        self.directory = directory
        self.heard: list[bytes] = []
        self.http = httpx.Client(base_url=url, headers=HEADERS, event_hooks={"response": [self._hear]}, timeout=30)
        self.codebase = self.http.post("/v1/agent/codebases", json={"name": "demo", "path": "/srv/demo"}).json()["id"]
        self.http.post("/v1/agent/agents", json={"name": "reviewer"})

    def _hear(self, response: httpx.Response) -> None:
        """What is told to anybody: who writes, or asks for what there is not, is told no more than it said itself."""
        if response.request.method == "GET" and response.is_success:
            self.heard.append(response.read())

    def everything(self) -> bytes:
        """What was heard, and the bytes of every file."""
        files = (path.read_bytes() for path in self.directory.rglob("*") if path.is_file())
        return b"\n".join([*self.heard, *map(_unpacked, files)])

    def try_all(self, value: str, cuts: list[int]) -> None:
        """Have the text told in every way there is, cut here and there."""
        client, number = self.client, next(NUMBERS)
        task = client.tasks.run("p", codebase=self.codebase, agent="echo").id
        claimed = client.worker.claim("w1", task, f"a-key-of-its-own-{number}")
        held = ("w1", task, claimed.lease.token)
        text = f"begin {value} {json.dumps({'a': value})} {value}"
        pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        for first, piece in enumerate(pieces):
            client.worker.output(*held, [OutputChunk(text=piece, stream=("stdout", "stderr")[number % 2])], first=first)
        event = {"type": "tool_use", "input": {value: [value]}}
        client.worker.output(*held, [OutputChunk(text=json.dumps(event), event=event)], first=len(pieces))
        client.worker.attach(*held, "notes.txt", text.encode())
        self.tell("/v1/agent/messages", to="reviewer", body=text, metadata={"a": [text]}, subject=text)
        self.tell(
            f"/v1/agent/codebases/{self.codebase}/sessions/s{number}/ingest",
            messages=[{"id": "m1", "role": "assistant", "parts": [{"type": "text", "text": text}]}],
            session={"title": text, "directory": text},
        )
        self.tell("/v1/agent/agents", name=f"agent{number}", description=text)
        self.tell("/v1/agent/workers/register", worker_id=f"w{number}x", name="w", hostname=text, models=[text])
        self.tell("/v1/agent/tasks", prompt=text, title="t")
        self.tell("/v1/agent/tasks", prompt="p", title=text)
        self.tell("/v1/auth/keys", name=value)
        self.http.get("/v1/monitor/messages", params={"q": value})
        self.http.get(f"/v1/agent/tasks/{task}/artifacts/{quote(value)}")
        client.worker.complete(*held, text)
        for path in ("", "/output", "/log", "/output/stream", "/artifacts/notes.txt"):
            self.http.get(f"/v1/agent/tasks/{task}{path}")
        asking = client.tasks.run("p", codebase=self.codebase, agent="echo").id
        token = client.worker.claim("w2", asking, f"a-key-of-its-own-{number}").lease.token
        self.tell(f"/v1/agent/tasks/{asking}/ask", prompt=text, worker_id="w2", lease_token=token)
        options = [{"id": "yes", "label": text}, {"id": "no", "label": "No", "allows": False}]
        for kind, command, paths in (("execute", text, [value, text]), ("edit", text, [f".git/{value}"])):
            tool = {"name": value, "kind": kind, "command": command, "paths": paths}
            wish = {"prompt": "?", "kind": "permission", "options": options, "tool": tool}
            self.tell(f"/v1/agent/tasks/{asking}/ask", worker_id="w2", lease_token=token, **wish)
        self.http.get("/v1/agent/approvals", params={"task_id": asking})

    def tell(self, path: str, **body: object) -> None:
        """Refused or not."""
        self.http.post(path, json=body)

    def copy(self) -> None:
        """Everything that can be taken along."""
        self.heard += self.client.audit.export()
        self.client.backups.begin()
        self.heard += [json.dumps(entry, ensure_ascii=False).encode() for entry in self.client.backups.entries()]
        for path in ("/v1/monitor/messages", "/v1/agent/sessions", "/v1/agent/messages", "/v1/audit/events"):
            self.http.get(path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("place")
    with serving(directory) as server:
        place = Place(server.url, directory)
        with place.client, closing(place.http):
            yield place


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=12)
@given(VALUES, CUTS)
def test_no_registered_secret_is_anywhere(place: Place, value: str, cuts: list[int]) -> None:
    name = f"s{next(NUMBERS)}"
    try:
        require_secret(name, value)
    except CodeTetherError:
        return
    place.client.secrets.put(name, value)
    try:
        place.try_all(value, cuts)
        place.copy()
        everything = place.everything()
        assert not [form for form in forms(value) if form.encode() in everything]
    finally:
        place.client.secrets.delete(name)


def test_what_is_no_secret_is_in_all_of_these(place: Place) -> None:
    """So that the test above can fail: each place that it looks into has what it was told."""
    value = "no-secret-0123456789"
    before = len(place.heard)
    place.try_all(value, [8, 13])
    place.copy()
    heard = place.heard[before:]
    assert sum(value.encode() in each for each in heard) > 15
    found = {path.name for path in place.directory.rglob("*") if path.is_file() and value.encode() in path.read_bytes()}
    assert any(name.endswith((".db", ".db-wal")) for name in found), found


def _unpacked(data: bytes) -> bytes:
    try:
        return data + gzip.decompress(data)
    except (OSError, EOFError):
        return data
