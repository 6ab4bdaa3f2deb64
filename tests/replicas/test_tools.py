"""Tools of a server elsewhere over replicas: the lease was given at one, the tool is asked for at the other."""

from __future__ import annotations

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from codetether_adapters.client import fresh_key
from codetether_core.approvals import ApprovalState
from tests.e2e.cluster import Cluster
from tests.e2e.programs import PATIENCE, until
from tests.mcp.hub import envelope, named
from tests.mcp_servers.far import of_library
from tests.replicas.waking import at_two

SETTINGS = {"CODETETHER_OUTGOING_ALLOW": "127.0.0.1", "CODETETHER_SECRET_KEY": "s" * 32}


def used(cluster: Cluster, path: str, token: str, name: str) -> Any:
    """What a tool answers at that server."""
    params = {"name": name, "arguments": {"words": "hello"}}
    headers = named("tools/call", params) | {"Content-Type": "application/json", "Accept": "application/json"}
    body = json.dumps(envelope("tools/call", params)).encode()
    request = urllib.request.Request(cluster.url + path, body, headers | {"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)["result"]


@at_two("postgresql", "redis")
def test_a_lease_counts_at_every_replica_and_leave_given_at_one_is_heard_at_the_other(
    replicas: tuple[Cluster, Cluster],
) -> None:
    one, two = replicas
    for each in replicas:
        each.server(**SETTINGS, CODETETHER_LEASE_TTL="60s")
    with of_library(handshake=False) as far, ThreadPoolExecutor() as threads:
        one.client.tool_servers.put("far", far.url)
        task = one.client.tasks.run("p", codebase="global", agent="sh")
        claimed = one.client.worker.claim("w", task.id, fresh_key())
        assert claimed.tools_path is not None
        using = threads.submit(used, two, claimed.tools_path, claimed.lease.token, "far__echo")
        approvals = one.client.approvals
        (asked,) = until(lambda: approvals.list(task=task.id, status=ApprovalState.OPEN), "the question")
        approvals.answer(asked.id, choice="allow")
        assert using.result(PATIENCE)["structuredContent"] == {"words": "hello"}
        assert far.calls == ["echo"]
