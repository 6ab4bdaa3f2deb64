"""Tools of a server elsewhere, used by the script of a run: what the policy allows, what a human does, what neither."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

import pytest

from codetether_adapters.opa import shipped_policy
from codetether_core.redaction import mark
from codetether_core.tasks import TaskState
from tests.e2e.cluster import TOKEN, Cluster
from tests.e2e.programs import ROOT, until
from tests.mcp_servers.far import Library, of_library

SECRET = "s3cret-of-ours-and-nobody-else"
POLICY = """
package codetether.agent

import rego.v1

allow contains "echoing" if input.tool.name == "far__echo"

deny contains "never" if input.tool.name == "far__broken"
"""
CLIENT = ROOT / "tests/e2e/tool_client.py"


@pytest.fixture(params=["stateless", "handshake"])
def far(request: pytest.FixtureRequest) -> Iterator[Library]:
    with of_library(handshake=request.param == "handshake") as far:
        yield far


@pytest.fixture
def served(cluster: Cluster, far: Library) -> Cluster:
    policy = cluster.directory / "policy"
    policy.mkdir()
    for number, text in enumerate((*shipped_policy().values(), POLICY)):
        (policy / f"{number}.rego").write_text(text)
    cluster.server(
        CODETETHER_OUTGOING_ALLOW="127.0.0.1",
        CODETETHER_SECRET_KEY="s" * 32,
        CODETETHER_POLICY=f"file://{policy}",
    )
    cluster.client.secrets.put("far-key", SECRET)
    cluster.client.tool_servers.put("far", far.url, secret="far-key")
    cluster.worker()
    return cluster


def using(name: str, *, era: str = "auto") -> str:
    """A script that uses a tool, and says what came of it."""
    return shlex.join([sys.executable, str(CLIENT), era, name])


def test_what_the_policy_allows_is_used_at_once(served: Cluster, far: Library) -> None:
    for era in ("auto", "legacy"):
        said = served.submit(using("far__echo", era=era)).result()
        assert said.splitlines() == ["far__echo far__slow", "ok hello"]
    assert far.calls == ["echo", "echo"]
    shown = {headers.get("authorization") for headers in far.headers}
    assert shown == {f"Bearer {SECRET}"}, "never the caller's"


@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_what_a_human_allows_is_used_then(served: Cluster, far: Library, era: str) -> None:
    task = served.submit(using("far__slow", era=era))
    served.until_state(task, TaskState.INPUT_REQUIRED)
    (approval,) = served.client.approvals.list(task=task.id)
    assert (approval.tool and approval.tool.name, far.calls) == ("far__slow", [])
    served.client.approvals.answer(approval.id, choice="allow")
    assert until(lambda: far.calls) == ["slow"]
    task.cancel()
    assert until(far.withdrawn.is_set), "the server is told that nobody waits"


@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_what_a_client_asked_that_is_gone_is_not_asked_any_more(served: Cluster, far: Library, era: str) -> None:
    gate, end = served.fifo("gate"), served.fifo("end")  # one would still be open when the script reads it again
    task = served.submit(f"{using('far__slow', era=era)} & read go < {gate}; kill -9 $!; read go < {end}; echo on")
    served.until_state(task, TaskState.INPUT_REQUIRED)
    (approval,) = served.client.approvals.list(task=task.id)
    gate.write_text("go\n")
    served.until_state(task, TaskState.RUNNING)
    taken_back = served.client.approvals.get(approval.id)
    assert (taken_back.choice, taken_back.answered_by, far.calls) == ("deny", "e2e", [])
    end.write_text("go\n")
    assert str(task.result()).splitlines()[-1] == "on"


def test_what_a_human_or_the_policy_denies_is_not_used(served: Cluster, far: Library) -> None:
    task = served.submit(using("far__slow"))
    served.until_state(task, TaskState.INPUT_REQUIRED)
    (approval,) = served.client.approvals.list(task=task.id)
    served.client.approvals.answer(approval.id, choice="deny")
    assert "failed e2e does not allow" in str(task.result())
    assert "denied_by_policy" in str(served.submit(using("far__broken")).result())
    assert far.calls == []


def test_the_agent_has_its_own_token_and_not_the_workers(served: Cluster, far: Library) -> None:
    task = served.submit('env; echo "url=$CODETETHER_MCP_URL"; echo "token=$CODETETHER_MCP_TOKEN"')
    said = str(task.result())
    assert f"url={served.url}/mcp/v1/runs/default/{task.id}" in said
    assert f"token={mark('CODETETHER_MCP_TOKEN')}" in said, "and tells nobody"
    assert TOKEN not in said
