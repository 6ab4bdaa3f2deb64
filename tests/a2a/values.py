"""Any values of the protocol, within what a release can say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st

from codetether_adapters.a2a_wire.values import (
    Artifact,
    ArtifactUpdate,
    Authentication,
    Configuration,
    Data,
    ListTasks,
    Message,
    Part,
    PushConfig,
    Raw,
    Role,
    SendMessage,
    StatusUpdate,
    Task,
    TaskState,
    TaskStatus,
    Text,
    Url,
)

__all__ = ["asked", "told"]

T = TypeVar("T")

WORDS = st.text(min_size=1, max_size=8)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=8), JSON, max_size=3)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 2**42).map(lambda milliseconds: EPOCH + timedelta(milliseconds=milliseconds))


def some(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


def many(strategy: st.SearchStrategy[T], least: int = 0) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(strategy, min_size=least, max_size=2).map(tuple)


def parts(release: str) -> st.SearchStrategy[Part]:
    """Release 0.3 says of files alone what they are, and its data are objects."""
    described: dict[str, Any] = {"media_type": some(WORDS), "filename": some(WORDS)}
    files = (st.binary(max_size=8).map(Raw) | WORDS.map(Url),)
    if release == "0.3":
        others = st.text(max_size=8).map(Text) | OBJECTS.map(Data)
        return st.builds(Part, content=files[0], metadata=some(OBJECTS), **described) | st.builds(
            Part, content=others, metadata=some(OBJECTS)
        )
    contents = files[0] | st.text(max_size=8).map(Text) | JSON.map(Data)
    return st.builds(Part, content=contents, metadata=some(OBJECTS), **described)


def messages(release: str) -> st.SearchStrategy[Message]:
    return st.builds(
        Message,
        message_id=WORDS,
        role=st.sampled_from(Role),
        parts=many(parts(release), 1),
        context_id=some(WORDS),
        task_id=some(WORDS),
        metadata=some(OBJECTS),
        extensions=many(WORDS),
        reference_task_ids=many(WORDS),
    )


def artifacts(release: str) -> st.SearchStrategy[Artifact]:
    return st.builds(
        Artifact,
        artifact_id=WORDS,
        parts=many(parts(release), 1),
        name=some(WORDS),
        description=some(WORDS),
        metadata=some(OBJECTS),
        extensions=many(WORDS),
    )


def statuses(release: str) -> st.SearchStrategy[TaskStatus]:
    return st.builds(
        TaskStatus, state=st.sampled_from(TaskState), message=some(messages(release)), timestamp=some(MOMENTS)
    )


def webhooks() -> st.SearchStrategy[PushConfig]:
    known = st.builds(Authentication, scheme=WORDS, credentials=some(WORDS))
    return st.builds(PushConfig, url=WORDS, id=some(WORDS), token=some(WORDS), authentication=some(known))


def told(release: str) -> st.SearchStrategy[Any]:
    """What a server says: tasks, messages, and what streams tell."""
    one_zero = release == "1.0"
    return st.one_of(
        messages(release),
        st.builds(
            Task,
            id=WORDS,
            status=statuses(release),
            context_id=some(WORDS) if one_zero else WORDS,
            artifacts=some(many(artifacts(release))),
            history=some(many(messages(release))),
            metadata=some(OBJECTS),
        ),
        st.builds(
            StatusUpdate,
            task_id=WORDS,
            context_id=WORDS,
            status=statuses(release),
            final=st.just(False) if one_zero else st.booleans(),
            metadata=some(OBJECTS),
        ),
        st.builds(
            ArtifactUpdate,
            task_id=WORDS,
            context_id=WORDS,
            artifact=artifacts(release),
            append=st.booleans(),
            last_chunk=st.booleans(),
            metadata=some(OBJECTS),
        ),
    )


def asked(release: str) -> st.SearchStrategy[Any]:
    """What a client says."""
    lengths = some(st.integers(0 if release == "1.0" else 1, 100))
    sending = st.builds(
        SendMessage,
        message=messages(release),
        configuration=st.builds(
            Configuration,
            accepted_output_modes=many(WORDS),
            history_length=lengths,
            return_immediately=st.booleans(),
            push_config=some(webhooks()),
        ),
        metadata=some(OBJECTS),
    )
    if release == "0.3":
        return sending
    listing = st.builds(
        ListTasks,
        context_id=some(WORDS),
        status=some(st.sampled_from(TaskState)),
        page_size=st.integers(1, 100),
        page_token=st.text(max_size=8),
        history_length=lengths,
        status_timestamp_after=some(MOMENTS),
        include_artifacts=st.booleans(),
    )
    return sending | listing
