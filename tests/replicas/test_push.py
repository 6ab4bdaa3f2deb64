"""Webhooks over replicas: each message once and in order, and none lost when the one that sends is killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import httpx
from attrs import Factory, define

from codetether_adapters.a2a.records import SEQUENCE
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.programs import PATIENCE, until
from tests.replicas.waking import at_two

Pair = tuple[Cluster, Cluster]
SETTINGS = {"CODETETHER_OUTGOING_ALLOW": "127.0.0.1", "CODETETHER_SECRET_KEY": "s" * 32}


@define(eq=False)
class Inbox:
    """A receiver: ``taken`` are webhook-id and body of what came. It ``holds`` back its answers until it is let go."""

    url: str = ""
    taken: list[tuple[str, Any]] = Factory(list)
    holds: bool = False
    free: Event = Factory(Event)

    def states(self) -> list[str]:
        """How the task stood, message by message."""
        told = [body.get("task") or body["statusUpdate"] for _, body in self.taken]
        return [each["status"]["state"].removeprefix("TASK_STATE_") for each in told]


@contextmanager
def receiving() -> Iterator[Inbox]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            inbox.taken.append((self.headers["webhook-id"], body))
            if inbox.holds:
                inbox.free.wait(PATIENCE)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox.url = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield inbox
        finally:
            inbox.free.set()
            server.shutdown()
            thread.join()


def sent(cluster: Cluster, url: str) -> str:
    """The id of a task that was given with a webhook."""
    message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "do it"}]}
    configuration = {"returnImmediately": True, "taskPushNotificationConfig": {"url": url}}
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "SendMessage",
        "params": {"message": message, "configuration": configuration},
    }
    headers = {"Authorization": f"Bearer {TOKEN}", "A2A-Version": "1.0"}
    answer = httpx.post(f"{cluster.url}/v1/a2a", json=body, headers=headers, timeout=PATIENCE).json()
    return str(answer["result"]["task"]["id"])


def ended(cluster: Cluster, task: str) -> None:
    """Run it, by hand."""
    lease = cluster.client.worker.claim("w", task, "k" * 16).lease
    cluster.client.worker.complete("w", task, lease.token, result="done")


@at_two("redis-cluster")
def test_each_message_comes_once_and_in_order(replicas: Pair) -> None:
    """Given at one, run at the other: whichever of them has the webhook in hand."""
    one, two = replicas
    one.server(**SETTINGS)
    two.server(**SETTINGS)
    with receiving() as inbox:
        ended(two, sent(one, inbox.url))
        until(lambda: "COMPLETED" in inbox.states(), "the end")
        numbers = [next(iter(body.values()))["metadata"][SEQUENCE]["sequence"] for _, body in inbox.taken]
        assert numbers == sorted({*numbers})
        assert len({id for id, _ in inbox.taken}) == len(inbox.taken)


@at_two("postgresql")
def test_what_was_sent_and_not_noted_is_sent_again(replicas: Pair) -> None:
    """The replica that sends is killed before it hears the answer: the other one goes on under the same id."""
    one, two = replicas
    first = one.server(**SETTINGS)
    with receiving() as inbox:
        inbox.holds = True
        task = sent(one, inbox.url)
        until(lambda: inbox.taken, "the first message")
        first.kill()
        inbox.holds = False
        inbox.free.set()
        two.server(**SETTINGS)
        until(lambda: len(inbox.taken) > 1, "the same message")
        assert inbox.taken[0][0] == inbox.taken[1][0]
        ended(two, task)
        until(lambda: inbox.states()[-1] == "COMPLETED", "the end")
