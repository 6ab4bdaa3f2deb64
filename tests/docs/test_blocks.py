"""Every block of code in the documentation runs."""

from __future__ import annotations

import asyncio
import shlex
import sys
import tomllib
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from unittest import TestCase

import pytest
from click import Command, Group
from click.testing import CliRunner

from codetether_adapters.agents import LAUNCHES
from codetether_adapters.memory.backend import open_backend
from codetether_adapters.postgres import migrate
from codetether_apps.cli.root import codetether
from codetether_apps.settings import read_settings
from codetether_apps.settings.agents import read_agents
from codetether_core.ports import Backend
from tests.docs.blocks import ROOT, blocks
from tests.servers.postgres import the_server


def test_the_core_is_a_library_in_under_twenty_lines() -> None:
    core, *_ = blocks("README.md", "python")
    assert len(core.strip().splitlines()) < 20
    exec(compile(core, "README.md", "exec"), {})


def test_functions_become_agents() -> None:
    *_, worker = blocks("README.md", "python")
    names: dict[str, object] = {}
    exec(compile(worker, "README.md", "exec"), names)
    assert callable(names["shout"])


def test_the_agents_of_a_worker_are_read() -> None:
    (toml,) = blocks("README.md", "toml")
    agents = read_agents(tomllib.loads(toml)["agents"], "README.md")
    assert set(agents) == {"survey", "claude", "build", "opencode"}


def test_the_agents_that_are_known_by_name_are_told() -> None:
    """And no others: whoever reads of one leaves its command out."""
    told = (ROOT / "README.md").read_text(encoding="utf-8").split("says which it is: ")[1].partition(".")[0]
    assert told.replace("\n", " ").split(", ") == sorted(LAUNCHES)


def test_a_store_of_ones_own_is_held_to_the_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_new_store() -> AbstractAsyncContextManager[Backend]:
        return open_backend("memory://")

    store = ModuleType("mystore")
    vars(store)["open_new_store"] = open_new_store
    monkeypatch.setitem(sys.modules, "mystore", store)
    (block,) = blocks("contracts/README.md", "python")
    names: dict[str, object] = {}
    exec(compile(block, "contracts/README.md", "exec"), names)
    assert sum(isinstance(name, type) and issubclass(name, TestCase) for name in names.values()) > 5


def test_the_logins_of_a_store_are_made() -> None:
    """Any administrator may, and a server needs nothing else."""
    (sql,) = blocks("README.md", "sql")
    with the_server().administration() as connection:
        for statement in sql.strip().splitlines():
            connection.execute(statement.encode())
        try:
            tenants, keeper = (
                the_server().url("codetether", user=user, password=password)
                for user, password in (("tenants", "ANOTHER"), ("keeper", "SECRET"))
            )
            assert asyncio.run(migrate(tenants, keeper=keeper)).pending == ()
        finally:
            connection.execute("DROP DATABASE codetether WITH (FORCE)")
            connection.execute("DROP ROLE keeper, tenants")


def test_every_variable_that_is_shown_is_a_setting() -> None:
    lines = [line for block in blocks("README.md", "sh") for line in block.splitlines() if line.startswith("export ")]
    given = dict(shlex.split(line, comments=True)[1].split("=", 1) for line in lines)
    settings = read_settings(environment=given)
    assert {f"environment {name}" for name in given} <= {*settings.origins.values()}


@pytest.mark.parametrize(
    "line",
    [
        line
        for block in blocks("README.md", "sh")
        for line in block.splitlines()
        if line.partition(" ")[0].endswith("codetether")
    ],
)
def test_every_command_that_is_shown_exists(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: Command = codetether
    while isinstance(command, Group) and words and not words[0].startswith("-"):
        name, *words = words
        found = command.get_command(command.make_context("codetether", [], resilient_parsing=True), name)
        assert found is not None, f"there is no {name}"
        command = found
    for flag in (word for word in words if word.startswith("--")):
        shown = CliRunner().invoke(codetether, [*line.split()[1:2], "--help"]).output
        known = {option for parameter in command.params for option in parameter.opts}
        assert flag in known or flag in shown, f"there is no {flag}"
