"""The codec: everything survives the round trip, and nothing from outside gets in with a wrong type."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, NewType, Union, get_args, get_origin

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codetether_core import codec
from codetether_core.access import Principal
from codetether_core.agents import Agent
from codetether_core.approvals import Approval
from codetether_core.codebases import Codebase
from codetether_core.codec import dump, load, moment, parse, timestamp
from codetether_core.errors import Invalid
from codetether_core.events import Cursor, Event, Guard, Topic
from codetether_core.messages import Message
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import Attempt, Grant, Lane, LeaseTerms, OutputChunk, Task, TaskSpec, TaskState, Word
from codetether_core.workers import Worker
from tests.core.tasks.lives import NOW, RUNNING, STANDINGS, new, tasks

TYPES = [
    Agent, Approval, Attempt, Codebase, Cursor, Event, Grant, Guard, Lane, LeaseTerms, Message, OutputChunk, Principal,
    Session, SessionMessage, Task, TaskSpec, Topic, Word, Worker,
]  # fmt: skip
TICK = timedelta(microseconds=1)
utc_moments = st.timedeltas(timedelta(0), timedelta(days=9998 * 365)).map(
    lambda age: datetime(1, 1, 1, tzinfo=UTC) + age
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
json_objects = st.dictionaries(st.text(max_size=3), json_values, max_size=2)
LEAVES: Mapping[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=5),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
    datetime: utc_moments,
    timedelta: st.timedeltas(),
    Any: json_values,
}


def values_of(wanted: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that the core's aggregates are made of."""
    arguments = get_args(wanted)
    if isinstance(wanted, NewType):
        return values_of(wanted.__supertype__)
    if wanted in LEAVES:
        return LEAVES[wanted]
    if get_origin(wanted) is Mapping:
        return json_objects
    if get_origin(wanted) is tuple:
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if get_origin(wanted) is frozenset:
        return st.frozensets(values_of(arguments[0]), max_size=2)
    if arguments:
        return st.one_of([values_of(argument) for argument in arguments])
    if issubclass(wanted, StrEnum):
        return st.sampled_from(wanted)
    attrs.resolve_types(wanted)
    return st.builds(wanted, **{field.alias: values_of(field.type) for field in attrs.fields(wanted)})


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


def refused(type: Any, data: Any, field: str = "") -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(type, data, field=field)
    return caught.value.field, caught.value.problem


# ------------------------------------------------------------------------------------------ round trip


@pytest.mark.parametrize("type", TYPES, ids=lambda type: type.__name__)
@given(data=st.data())
def test_everything_that_is_kept_survives_the_round_trip(type: Any, data: st.DataObject) -> None:
    """Through real JSON, read both with and without questions: what a store gives back is the value it was given."""
    value = data.draw(values_of(type))
    dumped = dump(value)
    assert through_json(dumped) == dumped
    assert load(type, dumped) == value
    assert parse(type, dumped) == value


@given(tasks())
def test_any_life_of_a_task_survives_the_round_trip(task: Task) -> None:
    assert load(Task, through_json(dump(task))) == task


@pytest.mark.parametrize("task", STANDINGS.values(), ids=STANDINGS.keys())
def test_what_is_dumped_is_plain(task: Task) -> None:
    """Dicts, lists and text, not their subclasses: drivers bind by exact type."""

    def plain(value: Any) -> bool:
        if type(value) is dict:
            return all(type(key) is str and plain(inner) for key, inner in value.items())
        if type(value) is list:
            return all(map(plain, value))
        return type(value) in (str, int, float, bool, type(None))

    assert plain(dump(task))
    assert type(dump(TaskState.PENDING)) is str


def test_a_value_that_was_written_before_a_member_was_added_is_read_with_its_default() -> None:
    """Rolling upgrades: the next release reads what this one wrote, and this one what the next one adds."""
    dumped = dump(RUNNING)
    for name in ("reviewed", "stopped", "session"):
        del dumped[name]
    dumped["grant"]["added_later"] = dumped["added_later"] = {"x": 1}
    assert load(Task, dumped) == parse(Task, dumped) == RUNNING


# ------------------------------------------------------------------------------------------ strictness

WRONG: Mapping[Any, tuple[list[Any], str]] = {
    str: ([None, 1, 1.5, True, [], {}], "must be a string"),
    int: ([None, "5", "", 1.0, 1.5, True, [], {}], "must be an integer"),
    float: ([None, "1.5", True, False, [], {}], "must be a number"),
    bool: ([None, 0, 1, "true", "", [], {}], "must be true or false"),
    datetime: (
        [None, 0, 1767225600, True, "", "now", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+01:00", [], {}],
        "must be a date and time in ISO 8601",
    ),
    timedelta: ([None, "1", 1.5, True, [], {}], "must be an integer"),
    TaskState: (
        [None, 1, "", "PENDING", "Pending", "other", True, [], {}],
        "must be one of: pending, running, input_required, completed, failed, cancelled",
    ),
    tuple[str, ...]: ([None, "ab", 1, {}, {"a": 1}], "must be an array"),
    frozenset[str]: ([None, "ab", 1, {}, {"a": 1}], "must be an array"),
    Mapping[str, Any]: ([None, "ab", 1, [], [["a", 1]], True], "must be an object"),
    LeaseTerms: ([None, "", "ttl", 1, [], [["ttl", 1]], ["ttl"], True], "must be an object"),
    Cursor: ([None, "", "epoch", 1, [], ["epoch", "position"]], "must be an object"),
}


@pytest.mark.parametrize("type", WRONG, ids=str)
def test_a_wrong_type_is_refused_whatever_could_be_made_of_it(type: Any) -> None:
    """``"5"`` is no integer and ``1`` no boolean: a guess today is a promise for ever."""
    values, problem = WRONG[type]
    for value in values:
        assert refused(type, value) == ("", problem), value
        assert refused(type, value, field="member") == ("member", problem)
        if value is not None and type is not frozenset[str]:
            assert refused(type | None, value) == ("", problem), value


def test_none_is_taken_only_where_it_is_said_so() -> None:
    assert parse(str | None, None) is None  # type: ignore[arg-type]
    assert parse(Union[datetime, None], None) is None  # type: ignore[arg-type]  # noqa: UP007
    assert refused(TaskSpec, {**dump(new().spec), "priority": None}) == ("priority", "must be an integer")


def test_a_whole_number_is_a_number() -> None:
    assert parse(float, 1) == 1.0


SPEC = {"codebase": "cb_1", "title": "t", "prompt": "p"}


@pytest.mark.parametrize(
    ("type", "data", "field", "problem"),
    [
        (TaskSpec, {}, "codebase", "is required"),
        (TaskSpec, {"codebase": "cb_1", "title": 1}, "title", "must be a string"),
        (TaskSpec, {**SPEC, "priority": "high"}, "priority", "must be an integer"),
        (TaskSpec, {**SPEC, "metadata": []}, "metadata", "must be an object"),
        (TaskSpec, {**SPEC, "required_capabilities": "gpu"}, "required_capabilities", "must be an array"),
        (TaskSpec, {**SPEC, "required_capabilities": ["gpu", 1]}, "required_capabilities.1", "must be a string"),
        (TaskSpec, {**SPEC, "target_agent": 1}, "target_agent", "must be a string"),
        (TaskSpec, {**SPEC, "start_by": 1}, "start_by", "must be a date and time in ISO 8601"),
        (tuple[TaskSpec, ...], [SPEC, {**SPEC, "prompt": None}], "1.prompt", "must be a string"),
        (Task, {**dump(RUNNING), "grant": []}, "grant", "must be an object"),
        (Task, {**dump(RUNNING), "grant": {}}, "grant.number", "is required"),
        (Task, {**dump(RUNNING), "attempts": [{}]}, "attempts.0.token", "is required"),
        (Principal, {"name": "carol", "roles": ["a", 1]}, "roles.1", "must be a string"),
    ],
)
def test_the_member_that_is_wrong_is_named_with_its_path(type: Any, data: Any, field: str, problem: str) -> None:
    """Somebody is to correct the request without reading our code."""
    assert refused(type, data) == (field, problem)
    assert refused(type, data, field="body") == (f"body.{field}", problem)


def test_the_first_of_many_mistakes_is_named() -> None:
    assert refused(TaskSpec, {"codebase": 1, "title": 2})[0] == "codebase"


@pytest.mark.parametrize("microseconds", [10**20, -(10**20), 10**400])
def test_a_duration_beyond_all_bounds_is_refused_not_an_accident(microseconds: int) -> None:
    assert refused(LeaseTerms, {"ttl": microseconds})[0] == "ttl"


@pytest.mark.parametrize("type", TYPES, ids=lambda type: type.__name__)
@given(data=json_values | json_objects)
def test_any_json_is_a_value_or_is_refused(type: Any, data: Any) -> None:
    """From outside comes anything; nothing of it may end in another error than ours."""
    with suppress(Invalid):
        parse(type, data)


@pytest.mark.parametrize("type", TYPES, ids=lambda type: type.__name__)
@given(data=st.data())
def test_a_value_with_one_member_replaced_by_anything_is_a_value_or_names_that_member(
    type: Any, data: st.DataObject
) -> None:
    dumped = through_json(dump(data.draw(values_of(type))))
    name = data.draw(st.sampled_from(sorted(dumped)))
    dumped[name] = data.draw(json_values)
    try:
        parse(type, dumped)
    except Invalid as error:
        assert error.field.partition(".")[0] == name
        assert error.problem == "is required" or error.problem.startswith("must be")


@pytest.mark.parametrize("depth", [10, 10_000])
def test_deep_structures_pass_through_untouched(depth: int) -> None:
    """What agents say is not ours to walk through: neither its cost nor its depth is our matter."""
    deep: Any = "bottom"
    for _ in range(depth):
        deep = {"x": [deep]}
    spec = parse(TaskSpec, {**SPEC, "metadata": deep})
    assert spec.metadata is deep
    assert dump(spec)["metadata"] is deep
    message = SessionMessage(id="m", session=RUNNING.id, role="user", created_at=NOW, tokens=deep, parts=(deep,))  # type: ignore[arg-type]
    assert dump(message)["tokens"] is deep and dump(message)["parts"][0] is deep


# --------------------------------------------------------------------------------------------- moments


@given(utc_moments)
@example(datetime(1, 1, 1, tzinfo=UTC))
@example(datetime(9999, 12, 31, 23, 59, 59, 999999, UTC))
@example(datetime(2026, 1, 1, tzinfo=UTC))
def test_a_moment_is_text_of_fixed_width_that_reads_back(at: datetime) -> None:
    text = timestamp(at)
    assert len(text) == len("2026-01-01T00:00:00.000000Z")
    assert (moment(text), moment(text).tzinfo) == (at, UTC)


@given(utc_moments, utc_moments)
def test_moments_as_text_sort_as_moments_do(one: datetime, other: datetime) -> None:
    """Stores compare the text."""
    assert (timestamp(one) < timestamp(other)) == (one < other)


@given(utc_moments.filter(lambda at: 2 < at.year < 9999), st.integers(-23 * 60, 23 * 60))
def test_every_zone_is_written_as_utc(at: datetime, minutes: int) -> None:
    local = at.astimezone(timezone(timedelta(minutes=minutes)))
    assert timestamp(local) == timestamp(at)
    assert moment(local.isoformat()) == at
    assert moment(local.isoformat()).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-01T00:00:00Z", NOW),
        ("2026-01-01T00:00:00.000001Z", NOW + TICK),
        ("2026-01-01T02:00:00+02:00", NOW),
        ("2026-01-01T00:00:00", NOW),
        ("2026-01-01 00:00", NOW),
        ("2026-01-01", NOW),
    ],
)
def test_what_clients_write_for_a_moment(text: str, at: datetime) -> None:
    assert moment(text) == at


@pytest.mark.parametrize(
    "text", ["", "today", "2026", "2026-02-30", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
)
def test_what_names_no_moment_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        moment(text)


def test_durations_are_whole_microseconds() -> None:
    assert dump(LeaseTerms())["ttl"] == 60_000_000
    assert parse(LeaseTerms, {"ttl": 1}).ttl == TICK


def test_a_set_is_an_array_in_order() -> None:
    """The same value is the same bytes, whatever the hash seed."""
    assert dump(Principal(name="carol", roles=frozenset("cab")))["roles"] == ["a", "b", "c"]


def test_the_exports_are_these() -> None:
    assert codec.__all__ == ["dump", "load", "moment", "parse", "refusal", "strict", "timestamp"]
