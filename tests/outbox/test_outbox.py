"""A report that was put is there until it is acknowledged, whatever is killed, torn or full in between."""

import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from codetether_adapters.outbox import TEXT_BYTES, Outbox, OutboxFull, Report
from codetether_core.errors import Unavailable
from codetether_core.ids import SessionId, TaskId

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def report(number: int = 1, result: str | None = "done") -> Report:
    return Report(task=TaskId(f"tsk_{number}"), lease="1.nonce", status="completed", created_at=AT, result=result)


def tasks(outbox: Outbox) -> list[str]:
    return [entry.report.task for entry in outbox.pending()]


def test_reports_wait_in_order_until_they_are_acknowledged(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        ids = [outbox.put(report(number)) for number in range(12)]
        assert [entry.id for entry in outbox.pending()] == ids
        outbox.acknowledge(ids[0])
        outbox.acknowledge(ids[0])
        outbox.acknowledge("../../etc/passwd")
    with Outbox(tmp_path) as outbox:
        assert tasks(outbox) == [f"tsk_{number}" for number in range(1, 12)]
        assert outbox.put(report(12)) > ids[-1]


@given(
    st.builds(
        Report,
        task=st.builds(TaskId, st.text()),
        lease=st.none() | st.text(),
        status=st.text(),
        created_at=st.datetimes(timezones=st.just(UTC)),
        result=st.none() | st.text(st.characters()),
        error=st.none() | st.text(),
        reason=st.none() | st.text(),
        session=st.none() | st.builds(SessionId, st.text()),
    )
)
@settings(max_examples=50, deadline=None)
def test_what_is_read_is_what_was_put(given_report: Report) -> None:
    with tempfile.TemporaryDirectory() as directory, Outbox(Path(directory)) as outbox:
        outbox.put(given_report)
        assert [entry.report for entry in outbox.pending()] == [given_report]


def test_a_result_is_bounded_to_its_end(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        outbox.put(report(result="é" * TEXT_BYTES + "the end"))
        (entry,) = outbox.pending()
    assert entry.report.result is not None
    assert entry.report.result.endswith("the end")
    assert len(entry.report.result.encode()) < TEXT_BYTES + 100


def test_a_torn_file_is_put_aside_and_the_others_stay(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        ids = [outbox.put(report(number)) for number in range(3)]
    whole = (tmp_path / f"{ids[1]}.json").read_bytes()
    for size in range(len(whole) - 1):
        (tmp_path / f"{ids[1]}.json").write_bytes(whole[:size])
        with Outbox(tmp_path) as outbox:
            assert tasks(outbox) == ["tsk_0", "tsk_2"]
            (torn,) = outbox.quarantined()
            assert torn.read_bytes() == whole[:size]


@pytest.mark.parametrize(
    "junk", [b"\0" * 100, b"[]", b"{}", b"null", b"[" * 100_000, b"\xff", b'{"format":1,"sha256":"x"}']
)
def test_junk_never_stops_the_start_and_a_new_report_never_overwrites_it(junk: bytes, tmp_path: Path) -> None:
    (tmp_path / "0000000000000007.json").write_bytes(junk)
    (tmp_path / "notes.txt").write_text("mine")
    for _ in range(2):
        with Outbox(tmp_path) as outbox:
            assert outbox.pending() == []
            assert [path.read_bytes() for path in outbox.quarantined()] == [junk]
    with Outbox(tmp_path) as outbox:
        assert int(outbox.put(report())) == 8


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        id = outbox.put(report(result="secret plan"))
        path = tmp_path / f"{id}.json"
        path.write_bytes(path.read_bytes().replace(b"plan", b"plam"))
        assert outbox.pending() == []
        assert len(outbox.quarantined()) == 1


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from codetether_adapters.outbox import Outbox, Report

steps, real_write = int(sys.argv[2]), os.write

def step():
    global steps
    steps -= 1
    if steps == 0: os.kill(os.getpid(), signal.SIGKILL)

def guarded(real):
    def call(*arguments, **more):
        step()
        done = real(*arguments, **more)
        step()
        return done
    return call

def write(descriptor, data):  # in pieces, and the process may die after each
    step()
    return real_write(descriptor, data[:128])

outbox = Outbox(Path(sys.argv[1]))
def report(n):
    return Report(task=f"tsk_{n}", lease="1.n", status="completed", created_at=datetime.now(UTC), result="r" * 300)
first = outbox.put(report(1))
real_write(1, b"put 1\\n")
os.write, os.fsync, os.rename, os.open, os.unlink, os.close = (
    write, *map(guarded, (os.fsync, os.rename, os.open, os.unlink, os.close)))
Path.rename, Path.unlink = guarded(Path.rename), guarded(Path.unlink)
outbox.put(report(2))
real_write(1, b"put 2\\n")
outbox.acknowledge(first)
real_write(1, b"acknowledged 1\\n")
"""


def test_kill_minus_nine_at_any_step_loses_nothing_that_was_put(tmp_path: Path) -> None:
    """Between any two system calls, and between the pieces of a write."""
    for steps in range(1, 100):
        directory = tmp_path / str(steps)
        ended = subprocess.run([sys.executable, "-c", KILLED, directory, str(steps)], capture_output=True, text=True)
        assert ended.returncode in (0, -9), ended.stderr
        with Outbox(directory) as outbox:
            found = tasks(outbox)
            assert found in (["tsk_1"], ["tsk_1", "tsk_2"], ["tsk_2"])
            if "put 2" in ended.stdout:
                assert "tsk_2" in found
            else:
                assert "tsk_1" in found
            assert list(directory.glob("*.tmp")) == []
        if ended.returncode == 0:
            assert found == ["tsk_2"]
            assert steps > 10
            return
    pytest.fail("it never came to its end")


FULL = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from codetether_adapters.outbox import Outbox, OutboxFull, Report

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def report(n, size):
    return Report(task=f"tsk_{n}", lease="1.n", status="completed", created_at=datetime.now(UTC), result="r" * size)
outbox = Outbox(Path(sys.argv[1]))
outbox.put(report(1, 10))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    outbox.put(report(2, 5000))
except OutboxFull as error:
    print(error.code, error.hint)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
outbox.put(report(3, 5000))
"""


def test_a_full_disk_is_one_clear_error_and_leaves_nothing_half(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("outbox_full free some space")
    with Outbox(tmp_path) as outbox:
        assert tasks(outbox) == ["tsk_1", "tsk_3"]
        assert outbox.quarantined() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_no_space_left_is_the_same_error(tmp_path: Path) -> None:
    with Outbox(tmp_path) as outbox:
        (tmp_path / "0000000000000001.tmp").symlink_to("/dev/full")
        with pytest.raises(Unavailable):  # O_EXCL: it is not followed
            outbox.put(report())
        assert issubclass(OutboxFull, Unavailable)
        outbox.put(report(2))
        assert tasks(outbox) == ["tsk_2"]


def test_the_outbox_belongs_to_one_worker_and_to_this_user(tmp_path: Path) -> None:
    directory = tmp_path / "outbox"
    with Outbox(directory) as outbox:
        id = outbox.put(report())
        assert directory.stat().st_mode & 0o777 == 0o700
        assert (directory / f"{id}.json").stat().st_mode & 0o777 == 0o600
        with pytest.raises(Unavailable, match="Another worker"):
            Outbox(directory)
    Outbox(directory).close()


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be used") as refused:
        Outbox(tmp_path / "file" / "outbox")
    assert refused.value.hint


class Life(RuleBasedStateMachine):
    """Put, acknowledge, restart and tear in any order, beside a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.outbox = Outbox(Path(self.directory.name))
        self.waiting: dict[str, str] = {}
        self.torn = 0
        self.count = 0

    @rule()
    def put(self) -> None:
        self.count += 1
        self.waiting[self.outbox.put(report(self.count))] = f"tsk_{self.count}"

    @rule(number=st.integers(0, 20))
    def acknowledge(self, number: int) -> None:
        if self.waiting:
            id = sorted(self.waiting)[number % len(self.waiting)]
            self.outbox.acknowledge(id)
            del self.waiting[id]

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(Path(self.directory.name))

    @rule(size=st.integers(0, 100))
    def tear_the_last(self, size: int) -> None:
        if self.waiting:
            id = max(self.waiting)
            path = Path(self.directory.name) / f"{id}.json"
            path.write_bytes(path.read_bytes()[:size])
            del self.waiting[id]
            self.torn += 1

    @invariant()
    def agrees(self) -> None:
        assert {entry.id: entry.report.task for entry in self.outbox.pending()} == self.waiting
        assert len(self.outbox.quarantined()) == self.torn

    def teardown(self) -> None:
        self.outbox.close()
        self.directory.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
