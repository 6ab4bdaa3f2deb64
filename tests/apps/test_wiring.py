"""The composition root: settings in, a working application out."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from codetether_apps.settings import Settings, SettingsError, client_token, read_settings, token_file
from codetether_apps.wiring.application import open_application
from codetether_apps.wiring.services import open_services
from codetether_core.access import SYSTEM
from codetether_core.errors import Unavailable
from codetether_core.ids import CodebaseId
from codetether_core.tasks import TaskSpec
from tests.servers.postgres import new_store
from tests.servers.valkey import fresh, own_server

pytestmark = pytest.mark.anyio


def given(directory: Path, **environment: str) -> Settings:
    """Settings of this environment alone."""
    return read_settings(environment={"CODETETHER_DATA_DIR": str(directory), **environment}, directory=directory)


async def test_sqlite_in_the_data_directory_is_the_default(tmp_path: Path) -> None:
    """What one life of the process was told, the next one knows."""
    settings = given(tmp_path)
    async with open_services(settings) as services:
        task = await services.submission.submit(SYSTEM, TaskSpec(codebase=CodebaseId("global"), title="t", prompt="p"))
    async with open_services(settings) as services:
        assert await services.backend.tasks.get(task.tenant, task.id) == task
    assert (tmp_path / "codetether.db").exists()


async def test_an_odd_data_directory(tmp_path: Path) -> None:
    """Its name is escaped in the store's URL."""
    odd = tmp_path / "100% über?"
    async with open_services(given(odd)):
        assert (odd / "codetether.db").exists()


async def test_the_application_answers_whom_it_knows(tmp_path: Path) -> None:
    """The generated token opens it, and a local client finds that token by itself."""
    settings = given(tmp_path, CODETETHER_STORE="memory://")
    async with open_application(settings) as opened:
        assert opened.access.generated
        assert opened.access.generated.fresh
        assert client_token(settings) == opened.access.generated.text == token_file(settings).read_text().strip()
        transport = httpx.ASGITransport(app=opened.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            assert (await client.get("/readyz")).status_code == 200
            assert (await client.get("/v1/agent/tasks")).status_code == 401
            head = {"Authorization": f"Bearer {opened.access.generated.text}"}
            assert (await client.get("/v1/agent/tasks", headers=head)).status_code == 200


async def test_a_local_token_is_not_shown_to_others(tmp_path: Path) -> None:
    """A server somewhere else is not the one that made it."""
    token_file(given(tmp_path)).write_text("local\n")
    assert client_token(given(tmp_path)) == "local"
    assert client_token(given(tmp_path, CODETETHER_SERVER="http://[::1]:1")) == "local"
    assert client_token(given(tmp_path, CODETETHER_SERVER="https://localhost.example.org")) is None
    assert client_token(given(tmp_path, CODETETHER_SERVER="https://example.org", CODETETHER_TOKEN="t")) == "t"


async def test_a_local_token_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    """Nobody has to guess why the server says 401."""
    assert client_token(given(tmp_path)) is None
    token_file(given(tmp_path)).write_text("\n")
    with pytest.raises(SettingsError, match=f"{tmp_path}/token is empty"):
        client_token(given(tmp_path))


async def test_given_tokens_take_the_place_of_the_generated_one(tmp_path: Path) -> None:
    """Nothing is written, and an old generated token no longer opens anything."""
    token_file(given(tmp_path)).write_text("old-token\n")
    settings = given(tmp_path, CODETETHER_STORE="memory://", CODETETHER_TOKENS="me:mine:viewer")
    async with open_application(settings) as opened:
        assert opened.access.generated is None
        mine = await opened.access.tokens.authenticate("mine")
        assert mine is not None and mine.roles == {"viewer"}


async def test_an_adapter_whose_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence has the command that installs it."""
    from importlib.metadata import EntryPoint

    from codetether_apps.wiring import openers

    broken = EntryPoint("nosql", "codetether_adapters.nosql.backend:open_backend", "codetether.backends")
    monkeypatch.setattr(openers, "entry_points", lambda group: [broken])
    with pytest.raises(SettingsError) as refused:
        async with open_services(given(tmp_path, CODETETHER_STORE="nosql://x")):
            pass
    assert refused.value.hint == "pip install 'codetether-hub[nosql]'"


async def test_a_notifier_beside_a_store_that_fails_on_purpose(tmp_path: Path) -> None:
    """The faults are the store's; who wakes its other servers is as the settings say."""
    notifier = fresh(own_server().url)
    settings = given(tmp_path, CODETETHER_STORE=f"faulty+{new_store()}?after=1", CODETETHER_NOTIFIER=notifier)
    async with open_services(settings) as services:
        assert len(own_server().ask("PUBSUB", "CHANNELS", f"{notifier.rpartition('=')[2]}:*")) == 1
        await services.backend.notifier.ping()
        with pytest.raises(Unavailable, match="rehearsed"):
            await services.submission.submit(SYSTEM, TaskSpec(codebase=CodebaseId("global"), title="t", prompt="p"))
    assert own_server().ask("PUBSUB", "CHANNELS", f"{notifier.rpartition('=')[2]}:*") == []


async def test_a_notifier_whose_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named before the store is opened, with the command that installs it."""
    from importlib.metadata import EntryPoint

    from codetether_apps.wiring import openers

    broken = EntryPoint("pigeon", "codetether_adapters.pigeon.channel:open_channel", "codetether.channels")
    monkeypatch.setattr(openers, "entry_points", lambda group: [broken])
    with pytest.raises(SettingsError, match=r"storage\.notifier") as refused:
        async with open_services(given(tmp_path, CODETETHER_NOTIFIER="pigeon://x")):
            pass
    assert refused.value.hint == "pip install 'codetether-hub[pigeon]'"


@pytest.mark.parametrize(
    ("settings", "path"),
    [({}, "/mcp/v1/runs"), ({"CODETETHER_MCP_PREFIX": "/api"}, "/api/mcp/v1/runs"), ({"CODETETHER_MCP": "off"}, None)],
    ids=["as-is", "below", "off"],
)
async def test_a_run_is_told_where_its_tools_are_if_they_are_served(
    tmp_path: Path, settings: dict[str, str], path: str | None
) -> None:
    async with open_application(given(tmp_path, CODETETHER_STORE="memory://", **settings)) as opened:
        assert opened.access.generated
        task = await opened.services.submission.submit(
            SYSTEM, TaskSpec(codebase=CodebaseId("global"), title="t", prompt="p")
        )
        head = {"Authorization": f"Bearer {opened.access.generated.text}"}
        transport = httpx.ASGITransport(app=opened.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=head) as client:
            body = {"task_id": task.id, "worker_id": "w", "lease": True}
            claim = (await client.post("/v1/worker/tasks/claim", json=body)).json()
            assert claim["tools_path"] == (path and f"{path}/default/{task.id}")
            shown = {"Authorization": f"Bearer {claim['lease']['token']}"}
            at = claim["tools_path"] or f"/mcp/v1/runs/default/{task.id}"
            listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            answer = await client.post(at, json=listing, headers=shown)
            assert answer.status_code == (501 if path is None else 200), answer.text
