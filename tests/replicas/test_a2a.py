"""A2A at two replicas: whatever a client asks at one of a task that the other has in hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import anyio
import httpx

from codetether_adapters.client import AgentRun
from tests.a2a.agents import working
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.programs import PATIENCE, until
from tests.replicas.waking import at_two

Pair = tuple[Cluster, Cluster]
HEADERS = {"Authorization": f"Bearer {TOKEN}", "A2A-Version": "1.0"}


def body(method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def call(cluster: Cluster, method: str, params: Any) -> Any:
    """The answer of a replica: a result, or an error with its code."""
    answer = httpx.post(f"{cluster.url}/v1/a2a", json=body(method, params), headers=HEADERS, timeout=PATIENCE)
    return answer.raise_for_status().json()


@contextmanager
def stream(cluster: Cluster, method: str, params: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """The events that a replica tells, to the end of the stream."""
    with httpx.stream(
        "POST", f"{cluster.url}/v1/a2a", json=body(method, params), headers=HEADERS, timeout=PATIENCE
    ) as answer:
        lines = (line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: "))
        yield (json.loads(line)["result"] for line in lines)


def said(text: str, agent: str, *, now: bool = False, **members: Any) -> dict[str, Any]:
    message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": text}], "metadata": {"agent_type": agent}}
    return {"message": {**message, **members}, "configuration": {"returnImmediately": now}}


def given(cluster: Cluster, text: str, agent: str) -> str:
    """The id of a task."""
    return str(call(cluster, "SendMessage", said(text, agent, now=True))["result"]["task"]["id"])


def state(cluster: Cluster, id: str) -> str:
    task = call(cluster, "GetTask", {"id": id})["result"]
    return str(task["status"]["state"]).removeprefix("TASK_STATE_")


def until_state(cluster: Cluster, id: str, wanted: str) -> None:
    until(lambda: state(cluster, id) == wanted, f"the task at {cluster.url} being {wanted}")


def output(task: Any) -> str:
    return "".join(part["text"] for each in task["artifacts"] for part in each["parts"])


def told(events: Iterable[Any]) -> list[tuple[str, str]]:
    """What happened: states and what the agent said with them, and output, be it new or more of the same."""
    found = []
    for event in events:
        if update := event.get("statusUpdate"):
            parts = update["status"].get("message", {"parts": []})["parts"]
            found.append((update["status"]["state"].removeprefix("TASK_STATE_"), "".join(map(text_of, parts))))
        elif update := event.get("artifactUpdate"):
            parts = update["artifact"]["parts"]
            found.append(("more" if update.get("append") else "new", "".join(map(text_of, parts))))
    return found


def text_of(part: Any) -> str:
    return str(part["text"])


@at_two("postgresql", "redis")
def test_what_is_asked_at_one_may_be_of_a_task_at_the_other(replicas: Pair) -> None:
    """Subscribe, cancel, and go on, at the one; the only worker is at the other."""
    one, two = replicas
    one.server()
    two.server()
    go, stopped, runs = Event(), Event(), list[str]()

    async def count(run: AgentRun) -> str:
        await anyio.to_thread.run_sync(go.wait)
        for number in range(5):
            await run.emit(f"{number}\n")
        return "counted"

    async def work(run: AgentRun) -> None:
        try:
            await run.emit("begun")
            await anyio.sleep_forever()
        finally:
            stopped.set()

    async def ask(run: AgentRun) -> str:
        runs.append(run.task.id)
        await run.emit("A0 A1 ")
        await anyio.to_thread.run_sync(go.wait)
        answer = await run.ask("Which?")
        await run.emit("A2")
        return f"took {answer.text}"

    with working(one.url, TOKEN, {"count": count, "work": work, "ask": ask}):
        everything_is_heard(one, two, go)
        a_cancel_stays(one, two, stopped)
        go.clear()
        there_is_no_second_run(two, runs, go)


def everything_is_heard(one: Cluster, two: Cluster, go: Event) -> None:
    """In the same words as who asked for it; and who waits at one for an end at the other gets it."""
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(call, two, "SendMessage", said("wait", "count"))
        with stream(one, "SendStreamingMessage", said("watch", "count")) as sender:
            id = next(sender)["task"]["id"]
            until_state(two, id, "WORKING")
            with stream(two, "SubscribeToTask", {"id": id}) as watcher:
                assert next(watcher)["task"]["id"] == id
                go.set()
                watched, sent = told(watcher), told(sender)
        assert watched[-1] == ("COMPLETED", "counted")
        assert sent[-len(watched) :] == watched
        for replica in (one, two):
            assert output(call(replica, "GetTask", {"id": id})["result"]) == "0\n1\n2\n3\n4\n"
        assert waiting.result(PATIENCE)["result"]["task"]["status"]["state"] == "TASK_STATE_COMPLETED"


def a_cancel_stays(one: Cluster, two: Cluster, stopped: Event) -> None:
    """For everybody: the agent is stopped, and has no last word."""
    id = given(one, "go", "work")
    until_state(two, id, "WORKING")
    with stream(one, "SubscribeToTask", {"id": id}) as watcher:
        next(watcher)
        assert call(two, "CancelTask", {"id": id})["result"]["status"]["state"] == "TASK_STATE_CANCELED"
        assert told(watcher)[-1][0] == "CANCELED"
    assert stopped.wait(PATIENCE)
    until(lambda: one.client.tasks.get(id).stopped, "the worker's last word")
    assert [state(replica, id) for replica in (one, two)] == ["CANCELED", "CANCELED"]
    assert call(one, "CancelTask", {"id": id})["error"]["code"] == -32002


def there_is_no_second_run(two: Cluster, runs: list[str], go: Event) -> None:
    """While the first works a message is refused; when it asks, the message is the answer."""
    id = given(two, "go", "ask")
    until(lambda: runs, "the run")
    refused = call(two, "SendMessage", said("hurry", "ask", taskId=id))
    assert refused["error"]["code"] == -32004
    go.set()
    until_state(two, id, "INPUT_REQUIRED")
    task = call(two, "SendMessage", said("this", "ask", taskId=id))["result"]["task"]
    assert (task["status"]["state"], output(task)) == ("TASK_STATE_COMPLETED", "A0 A1 A2")
    assert task["status"]["message"]["parts"] == [{"text": "took this"}]
    assert [each["parts"][0]["text"] for each in task["history"]] == ["go", "Which?", "this"]
    assert runs == [id]


@at_two("postgresql", "redis")
def test_tasks_outlive_the_replica_and_the_worker_that_had_them(replicas: Pair) -> None:
    """Both are killed: who watches at the other hears how another goes on, or that nobody may try again."""
    one, two = replicas
    server = one.server()
    two.server()
    worker = one.worker("first", CODETETHER_WORKER_SLOTS="2")
    stop = one.directory / "stop"
    script = f"echo begun by $$; while [ ! -e {stop} ]; do sleep 0.05; done; echo done"
    id = given(one, script, "sh")
    once = one.client.tasks.run(script, agent="sh", max_attempts=1)
    one.until_said(once, "begun")
    with (
        stream(two, "SubscribeToTask", {"id": once.id}) as ending,
        stream(two, "SubscribeToTask", {"id": id}) as watcher,
    ):
        next(ending)
        events = [next(watcher)]
        while "artifactUpdate" not in events[-1]:
            events.append(next(watcher))
        server.kill()
        worker.kill()
        assert told(ending)[-1][0] == "FAILED"
        two.worker("second")
        until(lambda: two.client.tasks.get(id).attempt == 2, "the second run")
        stop.write_text("")
        events += watcher
    assert call(two, "GetTask", {"id": once.id})["result"]["status"]["message"]["parts"][0]["text"]
    happened = told(events)
    assert happened[-1][0] == "COMPLETED"
    assert {each[0] for each in happened} <= {"new", "more", "WORKING", "COMPLETED"}, "never back to the beginning"
    printed = [event["artifactUpdate"] for event in events if "artifactUpdate" in event]
    anew = [at for at, each in enumerate(printed) if not each.get("append")]
    assert len(anew) == 2, "what the first run printed is replaced by what the second prints"
    task = call(two, "GetTask", {"id": id})["result"]
    assert output(task) == "".join(each["artifact"]["parts"][0]["text"] for each in printed[anew[-1] :])
    assert output(task).split()[-1] == "done"
