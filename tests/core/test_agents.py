"""Agents: found while they are heard, addressed by name or by role."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from codetether_core.access import DEFAULT_TENANT
from codetether_core.agents import EXPIRES_AFTER, Agent, discoverable, heard
from codetether_core.ids import AgentName

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
AGENT = Agent(name=AgentName("coder:1"), tenant=DEFAULT_TENANT, principal="carol", registered_at=NOW, last_seen=NOW)


@pytest.mark.parametrize(
    ("name", "role", "instance"),
    [
        ("coder:1", "coder", "1"),
        ("coder", "coder", ""),
        ("coder:team:1", "coder", "team:1"),
        ("coder:", "coder", ""),
        (":1", "", "1"),
    ],
)
def test_a_name_is_a_role_and_after_the_first_colon_an_instance(name: str, role: str, instance: str) -> None:
    agent = evolve(AGENT, name=AgentName(name))
    assert (agent.role, agent.instance, agent.id) == (role, instance, name)


@pytest.mark.parametrize(("silence", "found"), [(0 * TICK, True), (EXPIRES_AFTER - TICK, True), (EXPIRES_AFTER, False)])
def test_an_agent_is_found_until_it_was_silent_for_two_minutes(silence: timedelta, found: bool) -> None:
    assert timedelta(seconds=120) == EXPIRES_AFTER
    assert discoverable(AGENT, NOW + silence) is found


def test_who_asks_may_be_stricter() -> None:
    assert not discoverable(AGENT, NOW + TICK, max_age=TICK)


def test_an_expired_agent_that_is_heard_again_is_found_again() -> None:
    later = NOW + 10 * EXPIRES_AFTER
    again = heard(AGENT, later)
    assert (discoverable(again, later), again.version, again.registered_at) == (True, 2, NOW)
