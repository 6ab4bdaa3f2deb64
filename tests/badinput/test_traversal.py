"""Names and ids that lead elsewhere: in every path of every route, in files' names, and in what a worker is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.types import Message

from codetether_adapters.client import AsyncClient
from codetether_adapters.filesystem import open_blobs
from codetether_adapters.memory import open_backend
from codetether_apps.working.checkouts import Checkouts
from codetether_apps.working.folders import folder
from codetether_apps.working.leavings import Leavings
from codetether_core.ids import TaskId
from tests.http.conformance import table
from tests.http.resources.harness import TOKENS, Api, open_api

PARAMETER: Final = re.compile(r"\{[a-z_]+(?::path)?\}")
ROUTES: Final = [route for route in table() if "{" in route.path]
HOSTILE: Final = {
    "up": b"..",
    "up, escaped": b"%2e%2e",
    "up, half escaped": b".%2E",
    "here": b".",
    "nothing": b"",
    "up and away": b"..%2f..%2f..%2fetc%2fpasswd",
    "up and away, unescaped": b"../../../etc/passwd",
    "in the middle": b"a%2f..%2f..%2fb",
    "the other way round": b"..%5c..%5cwindows",
    "from the root": b"%2fetc%2fpasswd",
    "a drive": b"C:%5cwindows",
    "a share": b"%5c%5chost%5cshare",
    "a device": b"NUL",
    "a stream": b"a::$DATA",
    "NUL": b"a%00.txt",
    "no UTF-8": b"%c0%ae%c0%ae%c0%af",
    "escaped twice": b"%252e%252e%252f",
    "broken escapes": b"%zz%2",
    "letters that look like it": b"%ef%bc%8e%ef%bc%8e%ef%bc%8f%e2%88%95",
    "a line feed": b"a%0d%0aX-A:%20b",
    "upside down": b"%e2%80%ae",
    "very long": b"a" * 20_000,
    "a home": b"~root",
    "a command": b"$(id)`id`|id;",
    "a query": b"%3fa=b%23c",
}  # fmt: skip


UNKNOWN: Final = "/sessions/{sid}/messages"
"""Of an unknown session there are none, and that is no error: deployed clients ask before there is one."""


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """Blobs are files here."""
    root = tmp_path / "blobs"
    async with (
        open_backend("memory://") as backend,
        open_blobs(f"file://{root}") as blobs,
        open_api(backend, blobs) as api,
    ):
        yield api


async def ask(api: Api, method: str, path: bytes, body: bytes = b"{}") -> tuple[int, dict[str, str]]:
    """The answer's status and headers, to a path as it is."""
    sent: list[Message] = []
    token = TOKENS["deployed"][0].encode()
    scope: dict[str, Any] = {
        "type": "http", "http_version": "1.1", "method": method, "path": path.decode("latin-1"), "raw_path": path,
        "query_string": b"worker_id=w1", "root_path": "", "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"server"), (b"authorization", b"Bearer " + token)],
    }  # fmt: skip
    waiting = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return next(waiting, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        sent.append(message)

    await asyncio.wait_for(api.app(scope, receive, send), 30)
    head = sent[0]
    return head["status"], {name.decode(): value.decode() for name, value in head["headers"]}


async def everything(api: Api, root: Path) -> Any:
    """What there is, in the store and outside of it."""
    head = await api.services.backend.log.head()
    return str(head), files(root)


def files(root: Path) -> list[str]:
    """What was written below, but for what is on its way, and whose turn it is."""
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(path for path in found if not path.startswith(("blobs/.incoming/", "blobs/.turns.lock")))


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_path_of_a_route_leads_elsewhere(api: Api, tmp_path: Path, name: str) -> None:
    """Each is refused, with a problem where A2A has no form of its own; nothing has changed, here or on the disk."""
    before = await everything(api, tmp_path)
    for route in ROUTES:
        path = PARAMETER.sub("\0", route.path).encode().replace(b"\0", HOSTILE[name])
        status, headers = await ask(api, route.method, path)
        refused = 400 <= status < 500 and headers["content-type"] in (
            "application/problem+json",
            "application/json",
        )
        assert refused or (status == 200 and route.path.endswith(UNKNOWN)), (route.method, route.path, status)
    assert await everything(api, tmp_path) == before


NAMES: Final = {
    b"..%2f..%2fx": 404, b"../x": 404, b"a/../x": 404, b"a/./x": 404, b"a//x": 404, b"%2fetc%2fpasswd": 404,
    b"a%5cb": 422, b"C:%5cx": 422, b"a%0d%0aX-A: b": 422, b"a%0ab": 422, b"a%7f": 422, b"%e2%80%ae": 422,
    b"a%00": 400, b"%c0%ae": 400, b"a" * 256: 422, b"%f0%9f%98%80" * 64: 422,
}  # fmt: skip
"""What no file that a run leaves may be called."""

ODD: Final = (
    b"a%22; filename=b",
    b"a%27%27b",
    b"%c3%a4%25",
    b"NUL",
    b"a::$DATA",
    b"~",
    b"-rf",
    b"%2e%2e%2e",
    b".git/config",
)
"""What one may: only we name files after it that are ours, and browsers are told it escaped."""


async def test_files_are_called_what_leads_down(api: Api, tmp_path: Path) -> None:
    task = (await api.task())["id"]
    token = (await api.deployed.ok("POST", "/v1/worker/tasks/claim", {"task_id": task, "worker_id": "w1"}))["success"]
    assert token
    at = f"/v1/agent/tasks/{task}/artifacts/".encode()
    before = await everything(api, tmp_path)
    for name, expected in NAMES.items():
        assert (await ask(api, "PUT", at + name, b"bytes"))[0] == expected, name
    assert await everything(api, tmp_path) == before
    for name in ODD:
        assert (await ask(api, "PUT", at + name, b"bytes"))[0] == 200, name
        status, headers = await ask(api, "GET", at + name)
        assert (status, headers["content-length"]) == (200, "5")
        assert re.fullmatch(r"attachment; filename\*=UTF-8''[A-Za-z0-9._~%-]+", headers["content-disposition"])
    (file,) = files(tmp_path)
    assert re.fullmatch(r"blobs/default/([0-9a-f]{2}/){2}[0-9a-f]{64}", file)


@pytest.mark.parametrize("text", ["..", ".", "", "../../x", "/etc", "a/b", "a\\b", "\0", "é", "~", "a" * 101, "a\n"])
def test_a_worker_makes_and_removes_nothing_elsewhere(tmp_path: Path, text: str) -> None:
    """Whatever its server calls a task or a lease: a restored store may have anything."""
    kept = tmp_path / "kept"
    kept.write_text("mine")
    scratch, root = tmp_path / "a" / "scratch", tmp_path / "a" / "artifacts"
    checkouts = Checkouts(scratch)
    leavings = Leavings(root=root, worker_id="w", client=AsyncClient("http://127.0.0.1:1"))
    assert checkouts.improvise(TaskId(text)).parent == scratch
    assert leavings.begin(text).parent == root
    checkouts.leave(TaskId(text))
    assert [*scratch.iterdir()] == [] and [path.name for path in root.iterdir()] == [folder(text)]
    assert kept.read_text() == "mine"


def test_plain_names_stay_what_they_are() -> None:
    assert folder("tsk_01ab") == "tsk_01ab" and folder("3.9f") == "3.9f"
