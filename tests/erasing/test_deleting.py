"""Two users, of whom one erases a session: nothing of hers is anywhere, his is whole, and log, trail and backups are
sound.
"""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from attrs import frozen

from codetether_apps.cli import main
from tests.e2e.engines import store_settings
from tests.e2e.programs import until
from tests.erasing.dumps import dump
from tests.http.server import Server, serving

TOKENS: Final = {"root": "admin", "ann": "editor", "ben": "editor", "bot": "worker"}
ANN, BEN = "wordthatannsaid", "wordthatbensaid"
WORDS: Final = {"ann": ANN, "ben": BEN}
P: Final = "/v1/agent"
PIECES: Final = 8
"""Of output, of each task."""


@frozen
class Site:
    """An installation: where it keeps what, and the store that it uses."""

    directory: Path
    settings: Mapping[str, str]

    @property
    def kept(self) -> Path:
        return self.directory / "kept"

    @property
    def files(self) -> set[str]:
        """The addresses of the blobs of tenants."""
        return {path.name for path in (self.kept / "blobs" / "default").rglob("*") if len(path.name) == 64}

    def dump(self) -> bytes:
        return dump(self.kept, self.settings.get("CODETETHER_STORE"))

    def age(self) -> None:
        """As if all files had been put an hour ago."""
        then = time.time() - 3600
        for path in (self.kept / "blobs").rglob("*"):
            os.utime(path, (then, then))

    @contextmanager
    def server(self, *, leaves: bool = True) -> Iterator[Running]:
        self.directory.mkdir(exist_ok=True)
        own = self.directory / f"server-{len([*self.directory.iterdir()])}"
        settings = {
            "CODETETHER_DATA_DIR": str(self.kept),
            "CODETETHER_BLOBS": f"file://{self.kept}/blobs",
            "CODETETHER_SECRET_KEY": "0123456789" * 4,
            "CODETETHER_TOKENS": ",".join(f"{name}:{name}-token:{role}" for name, role in TOKENS.items()),
            **self.settings,
        }
        with serving(own, settings, leaves=leaves) as server, httpx.Client(base_url=server.url, timeout=30) as client:
            yield Running(server, client)


@frozen
class Running:
    """A server, and whoever speaks to it."""

    server: Server
    client: httpx.Client

    def __call__(self, who: str, method: str, path: str, json: Any = None, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {who}-token", **options.pop("headers", {})}
        return self.client.request(method, path, json=json, headers=headers, **options)

    def ok(self, who: str, method: str, path: str, json: Any = None, **options: Any) -> Any:
        answer = self(who, method, path, json, **options)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def command(self, *arguments: str) -> int:
        return command(*arguments, CODETETHER_SERVER=self.server.url, CODETETHER_TOKEN="root-token")

    def stream(self, path: str, until_said: str) -> list[tuple[str, str]]:
        """The id and the rest of each event up to the first that has these words."""
        found: list[tuple[str, str]] = []
        headers = {"Authorization": "Bearer root-token"}
        with self.client.stream("GET", path, headers=headers) as answer:
            assert answer.status_code == 200
            buffered = ""
            for text in answer.iter_text():
                *events, buffered = (buffered + text).split("\n\n")
                for event in events:
                    ids = [line[4:] for line in event.splitlines() if line.startswith("id: ")]
                    found.append((ids[-1] if ids else "", event))
                    if until_said in event:
                        return found
        raise AssertionError(f"the stream ended without {until_said}")

    def fill(self, who: str, codebase: str) -> list[str]:
        """A session in which two tasks ran, with this one's word in all that they have and left."""
        word, tasks, said = WORDS[who], list[str](), [{"id": "m", "role": "user", "parts": [{"text": WORDS[who]}]}]
        at = f"{P}/codebases/{codebase}/sessions"
        for number in range(2):
            body = {"prompt": word, "title": word, "codebase_id": codebase, "metadata": {"note": word}}
            task: str = self.ok(who, "POST", f"{P}/tasks", body)["id"]
            held, path = {"worker_id": "w1"}, f"{P}/tasks/{task}"
            self.ok("bot", "POST", "/v1/worker/tasks/claim", {"task_id": task, **held})
            self.ok("bot", "PUT", f"{path}/status", {**held, "status": "running", "session_id": f"ses_{who}"})
            for piece in range(PIECES):
                self.ok("bot", "POST", f"{path}/output", {**held, "output": f"{word} {piece} " * 50})
            self.ok("bot", "POST", f"{path}/ask", {**held, "prompt": word, "details": {"note": word}})
            self.ok(who, "POST", f"{path}/answer", {"text": word})
            file = f"{word} {number}".encode() * 999
            self.ok("bot", "PUT", f"{path}/artifacts/notes.txt", content=file, headers={"X-Worker-ID": "w1"})
            self.ok("bot", "PUT", f"{path}/artifacts/both.txt", content=b"shared", headers={"X-Worker-ID": "w1"})
            self.ok("bot", "PUT", f"{path}/status", {**held, "status": "completed", "result": word * 999})
            tasks.append(task)
        self.sync(who, codebase)
        self.ok("bot", "POST", f"{at}/ses_{who}/messages/sync", {"worker_id": "w1", "messages": said})
        return tasks

    def sync(self, who: str, codebase: str) -> None:
        """What its worker tells again and again."""
        told = {"worker_id": "w1", "sessions": [{"id": f"ses_{who}", "title": WORDS[who]}]}
        self.ok("bot", "POST", f"{P}/codebases/{codebase}/sessions/sync", told)

    def whole(self, who: str, codebase: str, tasks: list[str]) -> None:
        """All that was filled in is there."""
        word, at = WORDS[who], f"{P}/codebases/{codebase}/sessions/ses_{who}"
        assert self.ok(who, "GET", at)["title"] == word
        assert word in str(self.ok(who, "GET", f"{at}/messages"))
        for number, task in enumerate(tasks):
            path = f"{P}/tasks/{task}"
            assert self.ok(who, "GET", path)["result"] == word * 999
            assert len(self.ok(who, "GET", f"{path}/output")["outputs"]) == PIECES
            assert self(who, "GET", f"{path}/artifacts/notes.txt").content == f"{word} {number}".encode() * 999
            assert self(who, "GET", f"{path}/artifacts/both.txt").content == b"shared"
            numbers = [json.loads(line)["number"] for line in self(who, "GET", f"{path}/log").text.splitlines()]
            assert numbers == [*range(1, len(numbers) + 1)] and len(numbers) > PIECES + 5

    def read_everywhere(self, codebase: str) -> str:
        """Whatever anybody is told of many things at once."""
        marker: str = self.ok("root", "POST", f"{P}/tasks", {"prompt": "marker", "codebase_id": codebase})["id"]
        streams = (
            f"{P}/codebases/{codebase}/events",
            f"/v1/opencode/codebases/{codebase}/events",
            "/v1/monitor/stream",
        )
        told = [str(self.stream(f"{path}?replay=true", marker)) for path in streams]
        for path in (
            f"{P}/tasks",
            f"{P}/approvals",
            f"{P}/codebases/{codebase}/sessions",
            "/v1/monitor/messages",
            f"/v1/monitor/messages/search?q={ANN[4:]}",
            "/v1/monitor/export/json",
            "/v1/audit/events?limit=200",
        ):
            told.append(self("root", "GET", path).text)
        return "\n".join(told)


def command(*arguments: str, **settings: str) -> int:
    """Run a command in this process, which has no other settings; its exit code."""
    with pytest.MonkeyPatch.context() as environment:
        for name in os.environ:
            if name.startswith("CODETETHER_"):
                environment.delenv(name)
        for name, value in {"HOME": "/nowhere", **settings}.items():
            environment.setenv(name, value)
        return main(arguments)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "redis"])
def test_what_one_user_erases_is_nowhere_and_all_else_is_sound(
    tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a server that is killed before the files are gone leaves that to the next one."""
    site = Site(tmp_path / "site", store_settings(engine))
    before, after = tmp_path / "before.backup", tmp_path / "after.backup"
    with site.server(leaves=False) as hub:
        codebase = hub.ok("root", "POST", f"{P}/codebases", {"name": "demo", "path": "/srv/demo"})["id"]
        anns, bens = hub.fill("ann", codebase), hub.fill("ben", codebase)
        for who, tasks in (("ann", anns), ("ben", bens)):
            hub.whole(who, codebase, tasks)
        assert ANN in hub.read_everywhere(codebase)
        assert ANN.encode() in site.dump()
        assert hub.command("backup", "--online", str(before)) == 0
        seen = hub.stream(f"{P}/codebases/{codebase}/events?replay=true", "marker")
        at = f"{P}/codebases/{codebase}/sessions/ses_ann"
        assert hub("ben", "DELETE", at).status_code == 403
        assert hub.ok("ann", "DELETE", at)["tasks_erased"] == 2
        files = site.files
        assert len(files) == 5
        hub.server.program.kill()
    site.age()
    with site.server() as hub:
        until(lambda: len(site.files) == 3, "the files of what was erased to go")
        assert site.files < files
        hub.sync("ann", codebase)
        hub.whole("ben", codebase, bens)
        for path in (at, *(f"{P}/tasks/{task}" for task in anns)):
            assert hub("ann", "GET", path).status_code == 404
        told = hub.read_everywhere(codebase)
        assert ANN not in told and BEN in told
        present = hub.stream(f"{P}/codebases/{codebase}/events?replay=true", "marker")
        hers = [id for id, event in seen if ANN in event]
        assert len(hers) > 2 * PIECES
        for cursor in (hers[0], hers[-1]):
            rest = hub.stream(f"{P}/codebases/{codebase}/events?since={cursor}", "marker")
            assert not any("resync" in event for _, event in rest)
            assert [each for each in rest if each[1].startswith("event")] == [
                each for each in present if each[1].startswith("event")
            ]
        assert hub.command("backup", "--online", str(after)) == 0
        capsys.readouterr()
        assert hub.command("audit", "verify", "--json") == 0
        assert json.loads(capsys.readouterr().out)["sound"]
        query = "/v1/audit/events?action=task.erased&action=session.erased"
        records = hub.ok("root", "GET", query)["events"]
        assert {each["actor"] for each in records} == {"ann"}
        assert sorted(each["resource"] for each in records) == sorted(
            [*(f"task/{task}" for task in anns), "session/ses_ann"]
        )
        data = site.dump()
        assert ANN.encode() not in data and BEN.encode() in data
    assert ANN.encode() not in site.dump()
    for copy, has in ((before, True), (after, False)):
        content = gzip.decompress(copy.read_bytes())
        assert (ANN.encode() in content, BEN.encode() in content) == (has, True)
    elsewhere = Site(tmp_path / "elsewhere", {})
    there = {"CODETETHER_DATA_DIR": str(elsewhere.kept), "CODETETHER_BLOBS": f"file://{elsewhere.kept}/blobs"}
    assert command("restore", str(after), CODETETHER_SECRET_KEY="0123456789" * 4, **there) == 0
    with elsewhere.server() as hub:
        hub.whole("ben", codebase, bens)
        hub.sync("ann", codebase)
        assert hub("root", "GET", at).status_code == 404
        assert ANN not in hub.read_everywhere(codebase)
