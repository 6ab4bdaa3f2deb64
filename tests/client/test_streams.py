"""A watcher misses nothing and sees nothing twice."""

from typing import Any

import orjson
import pytest

from codetether_adapters.client import ConnectionFailed, TaskEvent
from codetether_adapters.sse import comment, encode
from codetether_core.errors import NotFound, Unauthenticated
from codetether_core.tasks import TaskState
from tests.client.both import BOTH, HASTY, collect
from tests.client.servers import Heard, Reply, Script, cut, ended, serving

EVENTS = 100


def output(number: int, *, epoch: str = "a", at: str = "2026-11-22T12:00:00.000000Z") -> bytes:
    data = {"task_id": "tsk_1", "sequence": number, "timestamp": at, "output": f"line {number}\n", "stream": "stdout"}
    return encode(orjson.dumps(data), event="output", id=f"{epoch}.{number}")


def ending(number: int, status: str = "completed", *, epoch: str = "a") -> bytes:
    data = {"task_id": "tsk_1", "sequence": number, "timestamp": "2026-11-22T12:00:09.000000Z", "status": status}
    return encode(orjson.dumps(data), event="error" if status == "failed" else "complete", id=f"{epoch}.{number}")


def problem(status: int, code: str, **headers: str) -> Reply:
    return Reply(status=status, json={"code": code, "detail": "No."}, headers=headers)


def watch(client: Any) -> Any:
    return client.tasks.watch("tsk_1")


def texts(events: list[TaskEvent]) -> list[str]:
    return [event.text.strip() for event in events if event.text]


def after(heard: Heard) -> int:
    return int(heard.headers.get("last-event-id", "a.0").partition(".")[2])


@BOTH
def test_a_stream_that_is_cut_a_hundred_times_shows_every_event_once(use: str) -> None:
    frames = [*(output(number) for number in range(1, EVENTS + 1)), ending(EVENTS + 1)]

    def one_event_and_half_of_the_next(heard: Heard) -> Reply:
        rest = frames[after(heard) :]
        whole, half = rest[0], b"".join(rest[1:2])
        return ended(whole) if not half else cut(whole + half[: len(half) // 2])

    script = Script([one_event_and_half_of_the_next])
    with serving(script) as url:
        events = collect(use, url, watch)
    assert texts(events) == [f"line {number}" for number in range(1, EVENTS + 1)]
    assert events[-1].status is TaskState.COMPLETED
    assert len(script.heard) == EVENTS + 1


@BOTH
def test_an_event_that_the_server_tells_again_is_not_shown_again(use: str) -> None:
    told = output(1) + output(2)
    with serving(Script([cut(told), cut(told + output(3)), ended(told + output(3) + ending(4))])) as url:
        assert texts(collect(use, url, watch)) == ["line 1", "line 2", "line 3"]


@BOTH
def test_a_resync_is_shown_and_what_it_repeats_is_not(use: str) -> None:
    again = output(1, epoch="b") + output(2, epoch="b") + output(3, epoch="b")
    resync = encode(orjson.dumps({"reason": "another epoch", "cursor": "b.0"}), event="resync", id="b.0")
    script = Script([cut(output(1) + output(2)), ended(resync + again + ending(4, epoch="b"))])
    with serving(script) as url:
        events = collect(use, url, watch)
    assert [event.name for event in events] == ["output", "output", "resync", "output", "complete"]


@BOTH
def test_what_a_restored_store_counts_anew_is_shown(use: str) -> None:
    resync = encode(b'{"reason":"restored"}', event="resync", id="b.0")
    anew = output(2, epoch="b", at="2026-11-22T13:00:00.000000Z")
    script = Script([cut(output(1) + output(2)), ended(resync + output(1, epoch="b") + anew + ending(3, epoch="b"))])
    with serving(script) as url:
        events = collect(use, url, watch)
    assert [event.name for event in events] == ["output", "output", "resync", "output", "complete"]


@BOTH
def test_a_cursor_that_the_server_no_longer_knows_is_given_up(use: str) -> None:
    script = Script([cut(output(1)), problem(410, "cursor_unknown"), ended(output(1) + output(2) + ending(3))])
    with serving(script) as url:
        events = collect(use, url, watch)
    assert [event.name for event in events] == ["output", "resync", "output", "complete"]
    assert "last-event-id" not in script.heard[2].headers


@BOTH
def test_a_lost_connection_is_told_once_and_so_is_its_return(use: str) -> None:
    """However many tries lie between; a sign of life is enough."""
    away = problem(503, "unavailable")
    script = Script([cut(output(1)), away, away, cut(comment("beat")), ended(output(2) + ending(3))])
    told: list[str] = []
    with serving(script) as url:
        collect(use, url, lambda client: client.tasks.watch("tsk_1", told=lambda problem: told.append(str(problem))))
    assert [each == "None" for each in told] == [False, True, False, True]


@BOTH
def test_a_beat_moves_the_cursor(use: str) -> None:
    """The server's beats are comments that carry the position: a reader cut in silence comes back to there."""
    script = Script([cut(output(1) + b"id: a.7\n" + comment("beat")), ended(ending(8))])
    with serving(script) as url:
        collect(use, url, watch)
    assert script.heard[1].headers["last-event-id"] == "a.7"


@BOTH
def test_garbage_between_events_is_left_out(use: str) -> None:
    garbage = b"event: output\ndata: [1]\n\n\xff\xfe\n\nnonsense\n\n"
    with serving(Script([ended(garbage + output(1) + garbage + ending(2))])) as url:
        assert [event.name for event in collect(use, url, watch)] == ["output", "complete"]


@BOTH
@pytest.mark.parametrize(
    ("told", "text", "raw"),
    [
        (b'{"output": "a", "event": {"cost": NaN}}', "a", None),
        (b'{"output": "\\ud83d"}', "\ud83d", None),
        (b'{"output": "a", "event": ' + b"[" * 5000 + b"]" * 5000 + b"}", None, None),
        (b"{not json", None, ""),
    ],
)
def test_what_an_agent_prints_is_shown_however_odd(use: str, told: bytes, text: str | None, raw: str | None) -> None:
    """What cannot be read is shown as it came."""
    with serving(Script([ended(encode(told, event="output") + ending(1))])) as url:
        odd, *_ = collect(use, url, watch)
    assert (odd.name, odd.raw) == ("output", told.decode() if raw is None else raw)
    assert odd.text == (told.decode() if text is None else text)


@BOTH
def test_a_server_that_ends_the_stream_early_is_asked_for_the_rest(use: str) -> None:
    """A server that is leaving closes its streams cleanly; the task goes on."""
    script = Script([ended(output(1)), ended(output(2) + ending(3))])
    with serving(script) as url:
        assert texts(collect(use, url, watch)) == ["line 1", "line 2"]


@BOTH
def test_a_busy_server_is_asked_again(use: str) -> None:
    busy = problem(503, "unavailable", **{"retry-after": "0"})
    with serving(Script([busy, busy, cut(output(1)), busy, ended(output(2) + ending(3))])) as url:
        assert texts(collect(use, url, watch)) == ["line 1", "line 2"]


@BOTH
def test_a_token_that_is_revoked_meanwhile_ends_the_stream(use: str) -> None:
    events: list[TaskEvent] = []
    with serving(Script([cut(output(1)), problem(401, "unauthenticated")])) as url, pytest.raises(Unauthenticated):
        collect(use, url, watch, into=events)
    assert use == "blocking" or texts(events) == ["line 1"]


@BOTH
def test_a_task_that_is_not_there_is_refused_at_once(use: str) -> None:
    script = Script([problem(404, "task_not_found")])
    with serving(script) as url, pytest.raises(NotFound) as refusal:
        collect(use, url, watch)
    assert refusal.value.code == "task_not_found"
    assert len(script.heard) == 1


@BOTH
def test_a_server_that_only_cuts_is_given_up(use: str) -> None:
    script = Script([cut(output(1)), cut(b"")])
    with serving(script) as url, pytest.raises(ConnectionFailed):
        collect(use, url, watch)
    assert len(script.heard) == 1 + HASTY.reconnections


@BOTH
def test_a_failed_task_ends_its_stream(use: str) -> None:
    with serving(Script([ended(output(1) + ending(2, "failed"))])) as url:
        assert collect(use, url, watch)[-1].status is TaskState.FAILED


@BOTH
def test_a_stream_can_be_taken_up_after_a_cursor_of_before(use: str) -> None:
    script = Script([ended(output(3) + ending(4))])
    with serving(script) as url:
        collect(use, url, lambda client: client.tasks.watch("tsk_1", since="a.2"))
    assert script.heard[0].headers["last-event-id"] == "a.2"


def test_leaving_a_stream_halfway_closes_its_connection() -> None:
    from codetether_adapters.client import Client

    with serving(Script([ended(output(1) + output(2) + ending(3))])) as url, Client(url, patience=HASTY) as client:
        stream = client.tasks.watch("tsk_1")
        assert next(stream).text == "line 1\n"
        stream.close()
        assert list(client.tasks.watch("tsk_1"))
