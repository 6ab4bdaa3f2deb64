"""Files that a run leaves: who may, how many, and what the log says of them."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.artifacts import ANY_BYTES, Artifact, BlobId, artifact_name, media_type
from codetether_core.errors import Invalid, NotFound, StaleLease, TooManyArtifacts
from codetether_core.tasks import ARTIFACTS_MOST, Task, artifact_of, attach, change, lapse
from tests.core.tasks.lives import BOB, HELD, NOW, RUNNING, SECOND, STANDINGS, TERMS, claimed, word

LATER = NOW + SECOND


def made(name: str = "a.txt", blob: str = "0", attempt: int = 1) -> Artifact:
    return Artifact(name=name, media_type="text/plain", size=1, blob=BlobId(blob * 64), attempt=attempt, created_at=NOW)


def left(task: Task, artifact: Artifact) -> Task:
    return attach(task, word(task), artifact, LATER, TERMS)


@pytest.mark.parametrize("task", [RUNNING, HELD])
def test_a_holder_leaves_a_file_and_nothing_else_changes(task: Task) -> None:
    after = left(task, made())
    assert after == evolve(task, artifacts=(made(),), version=task.version + 1, updated_at=LATER)


def test_files_are_in_order_and_a_name_is_one_file() -> None:
    task = left(left(left(RUNNING, made("b")), made("a")), made("b", "1"))
    assert task.artifacts == (made("a"), made("b", "1"))
    assert artifact_of(task, "b") == made("b", "1")
    with pytest.raises(NotFound):
        artifact_of(task, "c")


def test_the_same_file_again_changes_nothing() -> None:
    task = left(RUNNING, made())
    assert left(task, evolve(made(), created_at=LATER)) is task


def test_whoever_does_not_hold_the_task_leaves_nothing() -> None:
    taken = claimed(lapse(RUNNING, NOW), BOB)
    for task in (taken, *(STANDINGS[name] for name in ("completed", "failed", "cancelled, still running"))):
        with pytest.raises(StaleLease):
            attach(task, word(RUNNING), made(), LATER, TERMS)


def test_a_holder_that_lapsed_is_back_with_its_file() -> None:
    after = left(lapse(RUNNING, NOW), made())
    assert (after.state, after.charged, after.artifacts) == (RUNNING.state, RUNNING.charged, (made(),))


def test_a_task_has_so_many_files_and_no_more() -> None:
    task = RUNNING
    for number in range(ARTIFACTS_MOST):
        task = left(task, made(str(number)))
    assert len(left(task, made("0", "1")).artifacts) == ARTIFACTS_MOST
    with pytest.raises(TooManyArtifacts):
        left(task, made("one more"))


def test_watchers_are_told_of_what_is_new() -> None:
    task = left(RUNNING, made("a"))
    event = change(task, left(task, made("b")))
    assert event is not None
    assert (event.kind, [each["name"] for each in event.data["artifacts"]]) == ("task.artifact", ["b"])
    assert "blob" not in event.data["artifacts"][0]


@pytest.mark.parametrize("text", ["a", "a/b.txt", "é ü/日本", "...", "a..b", ".hidden", "x" * 255])
def test_names_lead_down(text: str) -> None:
    assert artifact_name(text) == text


@pytest.mark.parametrize(
    "text", ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\nb", "a\\b", "\ud800", "x" * 256]
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        artifact_name(text)
    assert refusal.value.field == "name"


@given(st.text())
def test_no_name_leads_out(text: str) -> None:
    try:
        parts = artifact_name(text).split("/")
    except Invalid:
        return
    assert parts and not {"", ".", ".."} & set(parts)


def test_media_types() -> None:
    assert media_type("") == ANY_BYTES
    assert media_type(" text/plain; charset=utf-8 ") == "text/plain; charset=utf-8"
    for text in ("text", "text/", "/plain", "text/pläin", "text/plain\nx: y", "a/" + "b" * 200):
        with pytest.raises(Invalid):
            media_type(text)
