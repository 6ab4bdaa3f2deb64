"""``codetether audit``: seeing what was done, and finding out whether somebody changed the record of it."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from codetether_adapters import sqlite
from codetether_adapters.client import Client
from codetether_core.access import DEFAULT_TENANT
from tests.audit.chains import SIGNER, Made
from tests.cli.conftest import Run
from tests.http.server import TOKEN, serving


@pytest.fixture
def exported(client: Client, run: Run, tmp_path: Path) -> Path:
    """A file with a trail that has a few records."""
    for number in range(3):
        client.tasks.run("p", title=f"audited {number}")
    assert run("audit", "export", "trail.jsonl") == 0
    return tmp_path / "trail.jsonl"


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_what_was_done_is_listed(client: Client, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    task = client.tasks.run("p", title="listed").id
    assert run("audit", "list", "--action", "task.*", "--resource", task, "--last", "1h", "--json") == 0
    (event,) = told(capsys)
    assert (event["action"], event["resource"]) == ("task.created", f"task/{task}")
    assert run("audit", "list", "--last", "soon") == 2
    assert "--last must be a duration" in capsys.readouterr().err


def test_a_trail_that_nobody_changed_is_sound(
    exported: Path, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The server's, a file's, and both back to a head that was kept."""
    assert run("audit", "head") == 0
    (tmp_path / "head.json").write_text(capsys.readouterr().out, encoding="utf-8")
    assert run("audit", "verify", "--json") == 0
    assert told(capsys)["sound"]
    assert run("audit", "verify", "--head", "head.json") == 0
    assert "nothing was changed" in capsys.readouterr().err
    assert run("audit", "verify", str(exported)) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [lines[0].replace(b"success", b"failure"), *lines[1:]], "record 1 of chain"),
        (lambda lines: [lines[0], *lines[2:]], "record 2 of chain"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "is not in its place"),
        (lambda lines: [b"nonsense\n", *lines], "line 1 is no record of an audit trail"),
    ],
    ids=["changed", "dropped", "exchanged", "nonsense"],
)
def test_a_file_that_was_changed_is_not(
    exported: Path, run: Run, capsys: pytest.CaptureFixture[str], change: Any, said: str
) -> None:
    lines = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join(change(lines)))
    assert run("audit", "verify", str(exported)) == 1
    assert said in capsys.readouterr().out


def test_a_file_that_was_cut_off_is_found_by_a_head(
    exported: Path, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("audit", "head") == 0
    (tmp_path / "head.json").write_text(capsys.readouterr().out, encoding="utf-8")
    lines = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join(lines[:2]))
    assert run("audit", "verify", str(exported), "--head", "head.json") == 1
    assert "cut off the end" in capsys.readouterr().out
    (tmp_path / "head.json").write_text("{}", encoding="utf-8")
    assert run("audit", "verify", str(exported), "--head", "head.json") == 2
    assert "codetether audit head > FILE" in capsys.readouterr().err


def test_checkpoints_of_another_key_are_told(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file that somebody wrote anew is signed with another key than the one that is trusted."""
    (tmp_path / "trail.jsonl").write_bytes(b"".join(Made.of([2]).lines()))
    assert run("audit", "verify", "trail.jsonl", "--key", SIGNER.key) == 0
    assert run("audit", "verify", "trail.jsonl") == 0
    assert f"signed by {SIGNER.key}" in capsys.readouterr().err
    assert run("audit", "verify", "trail.jsonl", "--key", "00" * 32) == 1
    assert "no trusted key signed" in capsys.readouterr().out
    assert run("audit", "verify", "trail.jsonl", "--key", "zz") == 2
    assert "64 hexadecimal digits" in capsys.readouterr().err


def test_keys_to_trust_may_be_in_a_file(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Those of earlier years, which the server does not tell of."""
    (tmp_path / "trail.jsonl").write_bytes(b"".join(Made.of([2]).lines()))
    (tmp_path / "others").write_text(f"# ours\n{'00' * 32}\n", encoding="utf-8")
    (tmp_path / "ours").write_text(f"\n{SIGNER.key}  # until 2026\n", encoding="utf-8")
    assert run("audit", "verify", "trail.jsonl", "--keys", "others") == 1
    assert run("audit", "verify", "trail.jsonl", "--keys", "others", "--keys", "ours") == 0
    (tmp_path / "ours").write_text("not one", encoding="utf-8")
    capsys.readouterr()
    assert run("audit", "verify", "trail.jsonl", "--keys", "ours") == 2
    assert "--keys ours: not one is no public key" in capsys.readouterr().err


def test_what_nobody_vouches_for_is_told(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """And why; and what was vouched for late."""
    made = Made.of([2])
    for at in ("2026-01-01T00:00:00.000000Z", "2026-01-01T09:00:00.000000Z"):
        made.add({"action": "task.created", "tenant": "default", "timestamp": at})
    made.seal(at="2026-01-03T00:00:00.000000Z")
    made.write(2)
    (tmp_path / "trail.jsonl").write_bytes(b"".join(made.lines()))
    assert run("audit", "verify", "trail.jsonl") == 0
    told_so = capsys.readouterr().err
    assert "records 4 to 5 of c.0 were sealed 2d after the first was written" in told_so
    assert "2 records of c.0 after 5: not sealed when this was written" in told_so
    assert run("audit", "verify", "trail.jsonl", "--json") == 0
    (chain,) = told(capsys)["chains"]
    assert (chain["unsealed"], chain["ended"]) == (2, False)
    assert chain["late"] == [{"first": 4, "last": 5, "seconds": 172_800}]


def test_the_end_of_a_chain_that_has_ended_is_told_of(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is of the store that this one was restored from, and no server seals it any more."""
    data = tmp_path / "server" / "data"
    data.mkdir(parents=True)

    async def keep() -> None:
        async with sqlite.open_backend(f"sqlite://{data}/codetether.db") as backend:
            await backend.audit.keep(DEFAULT_TENANT, "c.0", 0, Made.of([2], after=3).links)

    asyncio.run(keep())
    with serving(tmp_path / "server") as server, Client(server.url, token=TOKEN) as client:
        (tmp_path / "keys").write_text(f"{SIGNER.key}\n{client.audit.heads().key}\n", encoding="utf-8")
        monkeypatch.setenv("CODETETHER_SERVER", server.url)
        monkeypatch.setenv("CODETETHER_TOKEN", TOKEN)
        assert run("audit", "verify", "--keys", "keys") == 0
        assert "3 records of c.0 after 2: never sealed, as the chain has ended" in capsys.readouterr().err
        assert run("audit", "verify") == 1
        assert "record 3 of chain c.0 is a checkpoint that no trusted key signed" in capsys.readouterr().out


def test_nothing_in_a_file_controls_the_terminal(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A chain may be called whatever whoever wrote the file likes; what is no text is no name."""
    lines = [line.replace(b'"c.0"', b'"\x1b[2Jx"') for line in Made.of([3]).lines()]
    (tmp_path / "trail.jsonl").write_bytes(b"".join([lines[0], *lines[2:]]))
    assert run("audit", "verify", "trail.jsonl") == 1
    (tmp_path / "bytes.jsonl").write_bytes(lines[0].replace(b"\x1b[2Jx", b"\xff"))
    assert run("audit", "verify", "bytes.jsonl") == 1
    said = capsys.readouterr()
    assert "record 2 of chain x is not there" in said.out
    assert "line 1 is no record of an audit trail" in said.out
    assert "\x1b" not in said.out + said.err


def test_what_is_no_trail_is_not_taken_for_one(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing at all, a file that was cut off, heads that are none, a file that is there already."""
    (tmp_path / "empty").touch()
    assert run("audit", "verify", "empty") == 1
    assert "there are no records" in capsys.readouterr().out
    whole = gzip.compress(b"".join(Made.of([2]).lines()))
    (tmp_path / "whole.gz").write_bytes(whole)
    assert run("audit", "verify", "whole.gz") == 0
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    capsys.readouterr()
    assert run("audit", "verify", "cut.gz") == 2
    assert "damaged, or cut off" in capsys.readouterr().err
    (tmp_path / "head").write_text('{"chains": [{"chain": "c.0", "number": -5, "hash": "00"}]}')
    assert run("audit", "verify", "whole.gz", "--head", "head") == 2
    assert run("audit", "export", "empty") == 2
    assert "is there already" in capsys.readouterr().err
    assert run("audit", "export", "no/such/directory") == 2
