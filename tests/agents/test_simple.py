"""The agents that need no process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from codetether_adapters.agents import EchoRunner, NoopRunner, RegisterCodebaseRunner
from codetether_core.errors import PermissionDenied
from codetether_core.ids import CodebaseId
from codetether_core.ports import RunFailed
from tests.agents.agents import Output, nobody, run_in


async def test_echo_says_the_prompt_or_else_the_title(tmp_path: Path) -> None:
    output = Output()
    assert (await EchoRunner().run(run_in(tmp_path, title="t"), output.emit, nobody)).result == "hello"
    assert (await EchoRunner().run(run_in(tmp_path, prompt="", title="t"), output.emit, nobody)).result == "t"
    assert output.text() == "hellot"


async def test_noop_is_ok(tmp_path: Path) -> None:
    assert (await NoopRunner().run(run_in(tmp_path), Output().emit, nobody)).result == "ok"


async def test_a_directory_of_this_machine_is_registered(tmp_path: Path) -> None:
    told: list[object] = []

    async def register(name: str, path: str, description: str, agent_config: Mapping[str, Any]) -> CodebaseId:
        told.extend((name, path, description, agent_config))
        return CodebaseId("cb_new")

    metadata = {"path": str(tmp_path), "description": "d", "agent_config": {"a": 1}}
    outcome = await RegisterCodebaseRunner(register, [tmp_path.parent]).run(
        run_in(tmp_path, metadata=metadata), Output().emit, nobody
    )
    assert "cb_new" in outcome.result
    assert told == [tmp_path.name, str(tmp_path), "d", {"a": 1}]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "invalid_task"),
        ({"path": 5}, "invalid_task"),
        ({"path": "/x\0"}, "invalid_task"),
        ({"path": "relative"}, "directory_missing"),
        ({"path": "/no/such/directory"}, "directory_missing"),
        ({"path": "~no-such-user/x"}, "directory_missing"),
        ({"path": "/", "agent_config": []}, "permission_denied"),
        ({"path": "/", "agent_config": [1]}, "invalid_task"),
        ({"path": "/"}, "permission_denied"),
    ],
)
async def test_what_cannot_be_registered_says_why(metadata: dict[str, Any], reason: str, tmp_path: Path) -> None:
    async def refuse(name: str, path: str, description: str, agent_config: Mapping[str, Any]) -> CodebaseId:
        raise PermissionDenied("No")

    with pytest.raises(RunFailed) as failed:
        await RegisterCodebaseRunner(refuse, [Path("/")]).run(
            run_in(tmp_path, metadata=metadata), Output().emit, nobody
        )
    assert failed.value.reason == reason


@pytest.mark.parametrize("place", ["elsewhere", "allowed/../elsewhere", "allowed/link"])
async def test_only_directories_below_the_roots_can_be_registered(place: str, tmp_path: Path) -> None:
    async def register(name: str, path: str, description: str, agent_config: Mapping[str, Any]) -> CodebaseId:
        raise AssertionError(path)

    (tmp_path / "allowed").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "allowed" / "link").symlink_to(tmp_path / "elsewhere")
    run = run_in(tmp_path, metadata={"path": str(tmp_path / place)})
    with pytest.raises(RunFailed, match=f"below {tmp_path / 'allowed'}, and {tmp_path / 'elsewhere'} is not") as failed:
        await RegisterCodebaseRunner(register, [tmp_path / "allowed"]).run(run, Output().emit, nobody)
    assert failed.value.reason == "outside_roots"
