"""The texts in values of any shape."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codetether_core.redaction import rewritten, texts
from codetether_core.tasks import TaskState
from contracts.ports.samples import new_task

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_every_text_is_read_and_written(value: object) -> None:
    changed = rewritten(value, lambda text: f"{text}!")
    assert [*texts(changed)] == [f"{text}!" for text in texts(value)]
    assert rewritten(value, str) is value


def test_attrs_objects_keep_what_has_no_text_to_change() -> None:
    """States are no texts of anybody's."""
    task = new_task()
    changed = rewritten(task, lambda text: text.replace(task.spec.prompt, "***"))
    assert changed.spec.prompt == "***"
    assert changed.spec.codebase is task.spec.codebase
    assert rewritten(task, lambda text: text) is task
    assert rewritten(TaskState.PENDING, lambda text: "x") is TaskState.PENDING
    assert task.spec.title in texts(task)
