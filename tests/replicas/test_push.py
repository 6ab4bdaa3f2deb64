"""Webhooks over replicas: each message once and in order, and none lost when the one that sends is killed."""

from __future__ import annotations

import httpx

from codetether_adapters.a2a.records import SEQUENCE
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.programs import PATIENCE, until
from tests.outgoing.inbox import Inbox, receiving
from tests.replicas.waking import at_two

Pair = tuple[Cluster, Cluster]
SETTINGS = {"CODETETHER_OUTGOING_ALLOW": "127.0.0.1", "CODETETHER_SECRET_KEY": "s" * 32}


def states(inbox: Inbox) -> list[str]:
    """How the task stood, message by message."""
    told = [each.json.get("task") or each.json["statusUpdate"] for each in inbox.taken]
    return [each["status"]["state"].removeprefix("TASK_STATE_") for each in told]


def ids(inbox: Inbox) -> list[str]:
    """Which message each of them is."""
    return [each.headers["webhook-id"] for each in inbox.taken]


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
        until(lambda: "COMPLETED" in states(inbox), "the end")
        numbers = [next(iter(each.json.values()))["metadata"][SEQUENCE]["sequence"] for each in inbox.taken]
        assert numbers == sorted({*numbers})
        assert len({*ids(inbox)}) == len(inbox.taken)


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
        first_id, second_id, *_ = ids(inbox)
        assert first_id == second_id
        ended(two, task)
        until(lambda: states(inbox)[-1] == "COMPLETED", "the end")
