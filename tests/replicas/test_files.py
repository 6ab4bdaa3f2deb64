"""Files of tasks, and logs past their retention, in a bucket that all replicas reach."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.engines import store_settings
from tests.e2e.programs import ROOT, until
from tests.servers.s3 import shared_s3

Pair = tuple[Cluster, Cluster]


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[Pair]:
    """Two over PostgreSQL and a bucket, of which nothing runs yet."""
    settings = {**store_settings("postgresql"), "CODETETHER_BLOBS": shared_s3().url()}
    pair = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        pair.append(Cluster(tmp_path / name, dict(settings)))
    try:
        yield pair[0], pair[1]
    finally:
        for each in pair:
            each.close()
            sys.stderr.write(each.said())


def lines_of(cluster: Cluster, task: str) -> bytes:
    """A task's whole log."""
    request = urllib.request.Request(
        f"{cluster.url}/v1/agent/tasks/{task}/log", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request) as answer:
        log: bytes = answer.read()
    return log


def test_what_is_left_at_one_is_read_at_the_other_and_from_the_bucket_itself(replicas: Pair) -> None:
    one, two = replicas
    one.server()
    two.server()
    two.worker()
    task = one.submit('seq 100000 > "$CODETETHER_ARTIFACTS/numbers.txt"')
    task.wait()
    (found,) = task.artifacts()
    data = b"".join(task.read_artifact("numbers.txt"))
    assert len(data) == found.size and data.splitlines()[-1] == b"100000"
    assert found.url is not None
    with urllib.request.urlopen(found.url) as answer:
        assert answer.read() == data


def test_a_log_past_its_retention_is_read_at_any_replica_and_copied(replicas: Pair, tmp_path: Path) -> None:
    """Both reapers file it at once; a backup of store and bucket goes into a single directory elsewhere."""
    one, two = replicas
    one.server()
    worker = one.worker()
    task = one.submit("seq 300")
    task.wait()
    log, before = lines_of(one, task.id), task.refresh().version
    worker.kill()
    one.programs[0].kill()
    soon = {"CODETETHER_EVENT_RETENTION": "1s"}
    one.server(**soon)
    two.server(**soon)
    until(lambda: task.refresh().version > before, "the log filed away")
    for each in replicas:
        assert lines_of(each, task.id) == log
        assert each.text(task).split() == [*map(str, range(1, 301))]
    copy = tmp_path / "copy"
    settings = {"PATH": "/usr/bin:/bin", **one.settings}
    made = codetether("backup", str(copy), **settings)
    assert "blob" in made
    elsewhere = {"CODETETHER_STORE": "", "CODETETHER_BLOBS": "", "CODETETHER_DATA_DIR": str(tmp_path / "elsewhere")}
    codetether("restore", str(copy), **{**settings, **elsewhere})
    for program in (*one.programs, *two.programs):
        program.kill()
    one.server(**elsewhere)
    assert lines_of(one, task.id) == log


def codetether(*arguments: str, **settings: str) -> str:
    """What the command says when all went well."""
    done = subprocess.run(
        [sys.executable, "-m", "codetether_apps.cli", *arguments],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
