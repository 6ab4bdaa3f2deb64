"""The library of the protocol: which releases of it do, and what is said where there is another or none."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from codetether_apps.settings import Settings, read_settings
from codetether_apps.wiring.mcp import catalogue_of, endpoint_of, is_served, opening
from codetether_core.services import RolePolicy
from tests.http.resources.world import open_world


def installed(monkeypatch: pytest.MonkeyPatch, release: str | None) -> None:
    """As if that one were, or none."""

    def version(name: str) -> str:
        if release is None:
            raise PackageNotFoundError(name)
        return release

    monkeypatch.setattr(opening, "version", version)


@pytest.mark.parametrize("release", ["2.3.0", "2.3.0rc1", "2.10", "2.99.1"])
def test_these_do(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, release)
    assert is_served(Settings())
    assert not is_served(read_settings(environment={"CODETETHER_MCP": "off"}))


@pytest.mark.parametrize("release", ["1.30.0", "2.0.1", "2.2.9", "3.0.0", "3.0", "odd", None])
async def test_others_do_not_and_the_start_says_what_would(
    release: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world() as world:
        catalogue = catalogue_of(Settings(), world.services, RolePolicy())
        installed(monkeypatch, release)
        with capture_logs() as logs:
            assert endpoint_of(Settings(), catalogue) is None
        assert not is_served(Settings())
        (line,) = logs
        assert (line["event"], line["log_level"]) == ("mcp_not_served", "info")
        assert line["hint"] == "pip install 'codetether-hub[mcp]'"
        expected = "is not installed" if release is None else f"mcp {release} is installed; it takes one from 2.3 on"
        assert expected in line["reason"]


def test_the_extra_installs_one_that_does() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    since, before = (".".join(map(str, each)) for each in (opening._SINCE, opening._BEFORE))
    assert project["optional-dependencies"]["mcp"] == [f"mcp>={since},<{before}"]
