"""``contracts/http/routes.toml`` says what is served and what is not; the application serves that and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from codetether_adapters.http.resources import ALIASES
from tests.http.conformance import table
from tests.http.coverage import load_tests, uncovered

FILE = Path(__file__).parents[2] / "contracts/http/routes.toml"


def declared() -> Any:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def served() -> dict[str, set[str]]:
    """Every canonical route, with the names of the prefixes that it has besides."""
    known = {alias.name: alias for alias in ALIASES}
    found: dict[str, set[str]] = {}
    for route in table():
        alias = known.get(route.alias)
        path = alias.of + route.path.removeprefix(alias.at) if alias else route.path
        found.setdefault(f"{route.method} {path}", set()).update({route.alias} if alias else ())
    return found


def test_what_is_declared_is_what_is_served() -> None:
    promised = {entry["route"]: set(entry["aliases"]) for entry in declared()["served"]}
    assert len(promised) == len(declared()["served"]), "a route is declared twice"
    actual = served()
    assert sorted(promised.keys() - actual.keys()) == [], "declared and not served"
    assert sorted(actual.keys() - promised.keys()) == [], "served and not declared"
    assert promised == actual


def test_the_prefixes_are_those_declared() -> None:
    assert declared()["aliases"] == {alias.name: {"of": alias.of, "at": alias.at} for alias in ALIASES}


def test_what_is_left_out_has_a_reason_and_is_not_served() -> None:
    routes = table()
    seen: set[str] = set()
    for entry in declared()["left_out"]:
        assert entry["reason"].strip()
        for text in entry["routes"]:
            assert text not in seen, text
            seen.add(text)
            method, path = text.split(" ")
            answering = [
                f"{route.method} {route.path}"
                for route in routes
                if (path == route.path and method == route.method)
                or (method == "*" and f"{route.path}/".startswith(f"{path}/"))
            ]
            assert answering == [], text


def test_every_served_route_has_a_test() -> None:
    """Each is named by a test that changes state through another route and sees it there (``tests.http.coverage``)."""
    load_tests()
    assert uncovered(served()) == []


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: alias.name)
def test_every_route_below_a_prefix_is_there_under_its_other_name(alias: Any) -> None:
    below = {route for route in served() if f"{route.split()[1]}/".startswith(f"{alias.of}/")}
    assert below
    assert {route for route, names in served().items() if alias.name in names} == below
