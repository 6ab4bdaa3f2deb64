"""An outcome stays on the disk until the server has answered it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from codetether_adapters.client import AsyncClient, ConnectionFailed
from codetether_adapters.outbox import Outbox, Report
from codetether_apps.working.leavings import Leavings
from codetether_apps.working.reports import Reports
from codetether_core.errors import CodeTetherError, NotConfigured, StaleLease, TooLarge, TooManyArtifacts
from codetether_core.ids import TaskId
from codetether_core.tasks import OutputChunk
from tests.apps.worker_stage import MovedClock, persistence

pytestmark = pytest.mark.anyio

LEFT = Path("/nonexistent")
"""Where nothing is: these runs leave no files."""


class Words:
    """A server that fails as it is told, then takes everything."""

    def __init__(self, *failures: CodeTetherError) -> None:
        self.worker = self
        self.heard: list[tuple[Any, ...]] = []
        self._failures = list(failures)

    async def output(self, worker_id: str, task: str, token: str, chunks: Sequence[OutputChunk], *, first: int) -> None:
        """A run has printed."""
        self._hear("output", task, token, first, [chunk.text for chunk in chunks])

    async def complete(
        self, worker_id: str, task: str, token: str, result: str | None, *, reason: str | None, session_id: object
    ) -> None:
        """A run succeeded."""
        self._hear("completed", task, token, result, *filter(None, [reason]))

    async def attach(
        self, worker_id: str, task: str, token: str, name: str, data: Path, *, media_type: str | None
    ) -> None:
        """A file."""
        self._hear("file", task, token, name, _read(data), media_type)

    async def fail(
        self, worker_id: str, task: str, token: str, error: str, *, reason: str, retry: bool, session_id: object
    ) -> None:
        """A run failed."""
        self._hear("failed", task, token, error, reason, *["retry"][:retry])

    async def stopped(self, worker_id: str, task: str, token: str) -> None:
        """A cancelled run is gone."""
        self._hear("stopped", task, token)

    def _hear(self, *word: Any) -> None:
        self.heard.append(word)
        if self._failures:
            raise self._failures.pop(0)


def reports(words: Words, outbox: Outbox) -> Reports:
    """A worker's reports to that server."""
    client = cast("AsyncClient", words)
    leavings = Leavings(root=LEFT, worker_id="w", client=client)
    return Reports(
        worker_id="w", client=client, outbox=outbox, persistence=persistence(MovedClock()), leavings=leavings
    )


def report(status: str = "completed", **more: Any) -> Report:
    """An outcome."""
    return Report(task=TaskId("tsk_1"), lease="1.n", status=status, created_at=MovedClock().now(), **more)


async def test_it_is_kept_before_it_is_sent_and_forgotten_once_it_is_taken(tmp_path: Path) -> None:
    """Whoever dies in between, somebody will send it."""
    words = Words(ConnectionFailed("x"), ConnectionFailed("x"))
    with Outbox(tmp_path) as outbox:
        mine = reports(words, outbox)
        entry = await mine.keep(report(result="fine"))
        assert [each.id for each in outbox.pending()] == [entry.id]
        await mine.deliver(entry)
        assert not outbox.pending()
    assert words.heard == [("completed", "tsk_1", "1.n", "fine")] * 3


async def test_a_report_can_take_the_place_of_another(tmp_path: Path) -> None:
    """What was a success until its output was refused."""
    words = Words()
    with Outbox(tmp_path) as outbox:
        mine = reports(words, outbox)
        entry = await mine.keep(report(result="fine"))
        await mine.keep(report("failed", error="no", reason="output_refused"), instead_of=entry)
        assert [each.report.status for each in outbox.pending()] == ["failed"]


async def test_the_next_life_sends_what_the_last_one_left(tmp_path: Path) -> None:
    """In the order in which it was kept."""
    with Outbox(tmp_path) as outbox:
        outbox.put(report(result="fine", reason="answered"))
        outbox.put(report("failed", error="broken", reason="exit_status"))
        outbox.put(report("failed", error="gone", reason="agent_died", retry=True))
    words = Words()
    with Outbox(tmp_path) as outbox:
        await reports(words, outbox).replay()
        assert not outbox.pending()
    assert words.heard == [
        ("completed", "tsk_1", "1.n", "fine", "answered"),
        ("failed", "tsk_1", "1.n", "broken", "exit_status"),
        ("failed", "tsk_1", "1.n", "gone", "agent_died", "retry"),
    ]


async def test_one_that_comes_too_late_is_sent_once(tmp_path: Path) -> None:
    """The server keeps it as evidence and would refuse it for ever; a cancelled task is confirmed to have stopped."""
    words = Words(StaleLease("superseded"), StaleLease("cancelled", state="cancelled"))
    with Outbox(tmp_path) as outbox:
        outbox.put(report())
        outbox.put(report())
        await reports(words, outbox).replay()
        assert not outbox.pending()
    assert [word[0] for word in words.heard] == ["completed", "completed", "stopped"]


def _read(path: Path) -> bytes:
    return path.read_bytes()


def left(directory: Path) -> str:
    """What a run left: two files, and a link that leads out."""
    place = directory / "left" / "1.n"
    (place / "b").mkdir(parents=True)
    (place / "b/report.html").write_text("<p>")
    (place / "a.bin").write_bytes(bytes(3))
    (place / "link").symlink_to("/etc/hostname")
    return str(place)


def there(place: str) -> bool:
    return Path(place).exists()


async def test_files_go_before_the_outcome_and_are_forgotten_with_it(tmp_path: Path) -> None:
    """Again from the first of them where an answer was lost; a link is nobody's file."""
    words = Words(ConnectionFailed("x"), ConnectionFailed("x"))
    place = left(tmp_path)
    with Outbox(tmp_path / "outbox") as outbox:
        mine = reports(words, outbox)
        await mine.deliver(await mine.keep(report(result="fine", artifacts=place)))
        assert not outbox.pending()
    assert words.heard[2:] == [
        ("file", "tsk_1", "1.n", "a.bin", bytes(3), "application/octet-stream"),
        ("file", "tsk_1", "1.n", "b/report.html", b"<p>", "text/html"),
        ("completed", "tsk_1", "1.n", "fine"),
    ]
    assert not there(place)


@pytest.mark.parametrize(
    "refusal", [TooLarge("The body has more than 5 bytes"), NotConfigured("none"), TooManyArtifacts("full")]
)
async def test_a_file_that_is_refused_fails_the_run(tmp_path: Path, refusal: CodeTetherError) -> None:
    """Whoever reads that it completed would look for the file."""
    words = Words(refusal)
    with Outbox(tmp_path / "outbox") as outbox:
        mine = reports(words, outbox)
        await mine.deliver(await mine.keep(report(result="fine", artifacts=left(tmp_path))))
    *_, (said, _, _, error, reason) = words.heard
    assert (said, reason) == ("failed", "artifact_refused")
    assert "'a.bin'" in error and refusal.message in error


async def test_a_lost_lease_takes_no_files(tmp_path: Path) -> None:
    words = Words(StaleLease("superseded"), StaleLease("superseded"))
    place = left(tmp_path)
    with Outbox(tmp_path / "outbox") as outbox:
        mine = reports(words, outbox)
        with pytest.raises(StaleLease):
            await mine.deliver(await mine.keep(report(result="fine", artifacts=place)))
        assert not outbox.pending()
    assert [word[0] for word in words.heard] == ["file", "completed"]
    assert not there(place)


async def test_files_outlive_their_worker_as_long_as_its_report_does(tmp_path: Path) -> None:
    place = left(tmp_path)
    other = tmp_path / "left" / "other"
    other.mkdir()
    with Outbox(tmp_path / "outbox") as outbox:
        outbox.put(report(result="fine", artifacts=place))
    words = Words()
    with Outbox(tmp_path / "outbox") as outbox:
        Leavings(root=tmp_path / "left", worker_id="w", client=cast("AsyncClient", words)).clean(
            {entry.report.artifacts for entry in outbox.pending()}
        )
        assert not there(str(other))
        await reports(words, outbox).replay()
    assert [word[0] for word in words.heard] == ["file", "file", "completed"]


async def test_an_outcome_that_comes_too_late_is_told_although_its_output_is_refused(tmp_path: Path) -> None:
    """Only where the outcome is said can the server keep it as evidence."""
    words = Words(StaleLease("superseded"), StaleLease("superseded"))
    with Outbox(tmp_path) as outbox:
        mine = reports(words, outbox)
        entry = await mine.keep(report(result="fine", first=3, outputs=(OutputChunk(text="end"),)))
        with pytest.raises(StaleLease):
            await mine.deliver(entry)
        assert not outbox.pending()
    assert words.heard == [("output", "tsk_1", "1.n", 3, ["end"]), ("completed", "tsk_1", "1.n", "fine")]
