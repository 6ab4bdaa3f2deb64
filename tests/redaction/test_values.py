"""The texts in values of any shape."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.redaction import Redactor, mark, rewritten, texts
from codetether_core.tasks import TaskState
from contracts.ports.samples import new_task

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_every_text_is_read_and_written(value: object) -> None:
    changed = rewritten(value, lambda text: f"{text}!")
    assert [*texts(changed)] == [f"{text}!" for text in texts(value)]
    assert rewritten(value, str) is value


def test_a_number_that_is_a_secret_is_told_as_little_as_a_text() -> None:
    """But what is no number stays what it is, and numbers that have none in them stay numbers."""
    redactor, told = Redactor.of({"pin": "20261128"}), mark("pin")
    kept = {"a": [20261127, 2026.1128, True, False, None, 10**5000], "b": 0}
    assert rewritten(kept, redactor.whole) is kept
    value = {"pin": 20261128, "more": [-20261128, 20261128.5, 7202611287], 20261128: None}
    assert rewritten(value, redactor.whole) == {
        "pin": told,
        "more": [f"-{told}", f"{told}.5", f"7{told}7"],
        told: None,
    }
    assert [*texts({"a": 1, "b": [True, None, 2.5]})] == ["a", "1", "b", "2.5"]


def test_attrs_objects_keep_what_has_no_text_to_change() -> None:
    """States are no texts of anybody's."""
    task = new_task()
    changed = rewritten(task, lambda text: text.replace(task.spec.prompt, "***"))
    assert changed.spec.prompt == "***"
    assert changed.spec.codebase is task.spec.codebase
    assert rewritten(task, lambda text: text) is task
    assert rewritten(TaskState.PENDING, lambda text: "x") is TaskState.PENDING
    assert task.spec.title in texts(task)
    assert rewritten(evolve(task, version=20261128), lambda text: "x" * len(text)).version == 20261128
    assert "20261128" not in texts(evolve(task, version=20261128))
