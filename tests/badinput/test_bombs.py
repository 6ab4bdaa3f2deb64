"""Little that would become much: compressed, nested, repeated, or said to be large.

Nothing that is compressed is unpacked for whoever asks over HTTP (415), JSON costs what its bytes do, and a backup or
an audit trail, which is a file of an operator's, is read piece by piece and held against what it may have.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from codetether_adapters.memory import open_backend
from codetether_apps.backups import ArchiveError, verified
from codetether_apps.cli.trail import Trail, lines_in
from tests.backups.conftest import Run, run
from tests.badinput.wire import AUTHORIZATION, HOST, exchange
from tests.http.resources.harness import Api, open_api
from tests.http.server import Server

__all__ = ["run"]

P: Final = "/v1/agent"
BODY: Final = b'{"prompt": "p"}'


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with open_backend("memory://") as backend, open_api(backend) as api:
        yield api


async def attached(api: Api) -> str:
    """Where a held task has a file of five bytes."""
    task = (await api.task())["id"]
    await api.deployed.ok("POST", "/v1/worker/tasks/claim", {"task_id": task, "worker_id": "w1"})
    at = f"{P}/tasks/{task}/artifacts/file?worker_id=w1"
    await api.deployed.ok("PUT", at, content=b"bytes")
    return at


# --------------------------------------------------------------------------------------------- compressed bodies


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "gzip, gzip", "GZIP", "x"])
async def test_a_compressed_body_is_415(api: Api, coding: str) -> None:
    """And how to send it instead (RFC 9110, section 15.5.16). A file is refused too: its readers would not know."""
    at = await attached(api)
    bomb = gzip.compress(bytes(2**20))
    for method, path, body in (
        ("POST", f"{P}/tasks", gzip.compress(BODY)),
        ("PUT", at, bomb),
        ("POST", f"{P}/tasks", BODY),
    ):
        answer = await api.deployed(method, path, content=body, headers={"Content-Encoding": coding})
        assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
        assert answer.json()["code"] == "encoding_unsupported"
    assert len(await api.deployed.ok("GET", f"{P}/tasks")) == 1


async def test_a_body_that_is_as_it_is_may_say_so(api: Api) -> None:
    headers = {"Content-Encoding": "identity"}
    await api.deployed.ok("POST", f"{P}/tasks", content=BODY, headers=headers)
    await api.deployed.refused(400, "POST", f"{P}/tasks", content=zlib.compress(BODY))


# ---------------------------------------------------------------------------------------------------------- JSON

JSON: Final = {
    "many members": (b'{"prompt": "p", ' + b",".join(b'"%d": 0' % n for n in range(100_000)) + b"}", 200),
    "members of one hash": (
        b'{"prompt": "p", ' + b",".join(b'"%d": 0' % (n * (2**61 - 1)) for n in range(5_000)) + b"}", 200
    ),
    "one member again and again": (b'{"prompt": "p", ' + b",".join([b'"a": 0'] * 100_000) + b"}", 200),
    "many levels of arrays": (b"[" * 1_000_000, 400),
    "many levels of objects": (b'{"a":' * 500_000, 400),
    "levels in what nobody reads": (b'{"prompt": "p", "x": ' + b"[" * 500 + b"]" * 500 + b"}", 400),
    "many empty arrays": (b'{"prompt": "p", "metadata": {"x": [' + b"[]," * 200_000 + b"[]]}}", 200),
    "an integer without end": (b'{"prompt": "p", "priority": ' + b"9" * 1_000_000 + b"}", 400),
    "an exponent": (b'{"prompt": "p", "priority": 1e999999999}', 400),
    "no number": (b'{"prompt": "p", "priority": NaN}', 400),
    "a lone surrogate": (b'{"prompt": "\\ud800"}', 400),
    "an open text": (b'{"prompt": "' + b"\\" * 999_999, 400),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON)
async def test_json_costs_what_its_bytes_do(api: Api, name: str) -> None:
    body, status = JSON[name]
    assert (await api.deployed("POST", f"{P}/tasks", content=body)).status_code == status


# ------------------------------------------------------------------------------------- queries, headers, ranges

QUERIES: Final = {
    "many parameters": ("a=1&" * 10_000, 400), "one again and again": ("limit=1&" * 200, 400),
    "an integer without end": ("limit=" + "9" * 10_000, 422), "zeros before it": ("limit=" + "0" * 10_000 + "1", 422),
    "a list without end": ("status=" + "pending," * 5_000 + "nope", 400), "separators": ("&" * 20_000, 400),
    "escapes": ("cursor=" + "%25" * 10_000, 200),
}  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_is_bounded(api: Api, name: str) -> None:
    query, status = QUERIES[name]
    answer = await api.deployed("GET", f"{P}/tasks?{query}")
    assert answer.status_code == status, answer.text[:200]


@pytest.mark.parametrize("told", ["bytes=0-0", "bytes=" + "0-," * 5_000 + "0-", "bytes=5-1", "bytes=-1", "lines=1-2"])
async def test_a_file_comes_whole_whatever_ranges_are_asked_for(api: Api, told: str) -> None:
    """We know no ranges (RFC 9110, section 14.2), so that none can be asked for a thousand times."""
    answer = await api.deployed("GET", await attached(api), headers={"Range": told, "If-Range": '"x"'})
    assert (answer.status_code, answer.content) == (200, b"bytes")
    assert "content-range" not in answer.headers


HEADERS: Final = {
    "many": b"".join(b"x-%d: %s\r\n" % (n, b"x" * 1_000) for n in range(1_000)),
    "one": b"X-A: " + b"x" * 1_000_000 + b"\r\n",
    "cookies": b"Cookie: a=b\r\n" * 100_000,
    "names": b"".join(b"a%d:\r\n" % n for n in range(100_000)),
}  # fmt: skip


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("name", HEADERS)
def test_headers_without_end_are_431(server: Server, name: str) -> None:
    answers = exchange(server, b"GET /livez HTTP/1.1\r\n" + HOST + AUTHORIZATION, HEADERS[name], b"\r\n")
    assert [answer.status for answer in answers] in ([431], []), answers


@pytest.mark.usefixtures("unharmed")
def test_a_target_without_end_is_refused(server: Server) -> None:
    answers = exchange(server, b"GET /" + b"x" * 1_000_000, b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert [answer.status for answer in answers] in ([431], [400], []), answers


# ------------------------------------------------------------------------------------------------------- archives

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"", **attributes: Any) -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def packed(members: Iterable[Member], format: int = tarfile.GNU_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=format) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def whole(*lines: object, blobs: Iterable[bytes] = ()) -> list[Member]:
    """A backup that agrees with itself, whatever it says."""
    records = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    header = json.dumps({"made_at": "2026-11-22T12:00:00Z", "release": "1", "format": 1}).encode()
    found = {"header.json": header, "records/000001.jsonl": records}
    found |= {f"blobs/{hashlib.sha256(blob).hexdigest()}": blob for blob in blobs}
    kinds: dict[str, int] = {}
    for line in lines:
        kind = line.get("kind") if isinstance(line, dict) else None
        kinds[str(kind)] = kinds.get(str(kind), 0) + 1
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    manifest = json.dumps({"entries": kinds, "members": digests}).encode()
    return [member(name, content) for name, content in (found | {"manifest.json": manifest}).items()]


def sparse() -> bytes:
    """A file of 8 EiB, of which there is nothing."""
    info = tarfile.TarInfo("records/000001.jsonl")
    info.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = tarfile.itn(2**62, 12, tarfile.GNU_FORMAT)  # type: ignore[attr-defined]
    block[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(block))[0]  # type: ignore[attr-defined]
    return gzip.compress(bytes(block) + bytes(1024))


def declared(size: int, name: str = "records/000001.jsonl", kind: bytes = tarfile.REGTYPE) -> bytes:
    """A member that is said to be so large."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))


DEEP: Final = b"[" * 200_000
GOOD: Final = {"kind": "blob", "data": {"id": "0" * 64, "size": 1}}
ARCHIVES: Final[dict[str, Callable[[], bytes]]] = {
    "a step up": lambda: packed([*whole(GOOD), member("../evil", b"x")]),
    "a path from the root": lambda: packed([member("/etc/evil", b"x"), *whole(GOOD)]),
    "a blob that steps up": lambda: packed([member("blobs/../../evil", b"x"), *whole(GOOD)]),
    "records that step up": lambda: packed([member("records/../000001.jsonl", b"{}\n"), *whole(GOOD)]),
    "a symbolic link": lambda: packed([member("header.json", type=tarfile.SYMTYPE, linkname="/etc/passwd")]),
    "a hard link": lambda: packed([member("header.json", type=tarfile.LNKTYPE, linkname="/etc/passwd")]),
    "a device": lambda: packed([member("header.json", type=tarfile.CHRTYPE, devmajor=1, devminor=5)]),
    "a pipe": lambda: packed([member("header.json", type=tarfile.FIFOTYPE)]),
    "a directory": lambda: packed([member("blobs/", type=tarfile.DIRTYPE)]),
    "a name twice": lambda: packed([*whole(GOOD)[:2], *whole(GOOD)]),
    "a blob twice": lambda: packed([*whole(blobs=[b"x"])[:3], *whole(blobs=[b"x"])[2:]]),
    "a name of controls": lambda: packed([member("\x1b[2J\n", b"x")]),
    "a file of holes": sparse,
    "a member of 8 EiB": lambda: declared(2**62),
    "a manifest of 8 EiB": lambda: declared(2**62, "manifest.json"),
    "a member of less than nothing": lambda: declared(-512),
    "a description of 8 EiB": lambda: declared(2**62, kind=tarfile.XHDTYPE),
    "a long name of 8 EiB": lambda: declared(2**62, kind=tarfile.GNUTYPE_LONGNAME),
    "descriptions": lambda: packed([member("a" * 300, b"x")], tarfile.PAX_FORMAT),
    "levels without end": lambda: packed([member("header.json", DEEP)]),
    "lines without end": lambda: packed([whole()[0], member("records/000001.jsonl", b"\n" * 1_000_000)]),
    "zeros": lambda: packed([whole()[0], member("records/000001.jsonl", bytes(2**24))]),
    "no number": lambda: packed([member("header.json", b'{"made_at": NaN, "release": "1"}')]),
    "an unknown kind": lambda: packed(whole({"kind": "evil", "data": {}})),
    "an entry without its data": lambda: packed(whole({"kind": "task", "data": {}})),
    "an entry that is none": lambda: packed(whole([1])),
    "an event of no time": lambda: packed(
        whole({"kind": "event", "data": {"scope": "a", "subject": "b", "kind": "c", "at": "d", "data": {}}})
    ),
    "a trail of no records": lambda: packed(
        whole({"kind": "audit", "data": {"chain": "a", "start": 0, "records": [1]}})
    ),
    "a session of no messages": lambda: packed(whole({"kind": "session", "data": {"session": {}, "messages": 1}})),
}  # fmt: skip


def test_a_backup_that_is_one_is_taken(tmp_path: Path) -> None:
    """So that what follows is refused for what is wrong with it."""
    (tmp_path / "file").write_bytes(packed(whole(GOOD, blobs=[b"x"])))
    assert verified(tmp_path / "file")[1].entries == {"blob": 1}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_backup_is_refused(tmp_path: Path, name: str) -> None:
    """In one sentence, before anything of it is anywhere."""
    path = tmp_path / "hostile.backup"
    path.write_bytes(ARCHIVES[name]())
    with pytest.raises(ArchiveError) as refusal:
        verified(path)
    assert refusal.value.message.isprintable() and len(refusal.value.message) < 400
    assert [each.name for each in tmp_path.iterdir()] == ["hostile.backup"]


def test_a_restore_of_one_ends_with_a_sentence(tmp_path: Path, run: Run) -> None:
    """Exit code 1, and no store."""
    (tmp_path / "hostile.backup").write_bytes(ARCHIVES["a step up"]())
    refused = run("restore", "hostile.backup", "--store", f"sqlite://{tmp_path}/new.db")
    assert refused.returncode == 1
    assert "it has ../evil" in refused.stderr and "Traceback" not in refused.stderr
    assert not (tmp_path / "new.db").exists() and not (tmp_path / "evil").exists()


def test_a_compressed_trail_is_read_line_by_line(tmp_path: Path) -> None:
    """A line without end is none, and is told of."""
    path = tmp_path / "trail.jsonl.gz"
    path.write_bytes(gzip.compress(bytes(40 * 2**20)))
    trail = Trail()
    longest = 0
    for line in lines_in(path):
        longest = max(longest, len(line))
        trail.feed([line])
    assert longest == 16 * 2**20
    assert len(trail.unreadable) == 3
