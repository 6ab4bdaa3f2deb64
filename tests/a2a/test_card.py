"""The card as a value: one for both releases, and skills that messages can name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.a2a.card import Profile, Provider, schemes
from codetether_adapters.a2a.card.publishing import page_of
from codetether_adapters.a2a.card.release_0_3 import with_release_0_3
from codetether_adapters.a2a.card.release_1_0 import card_of
from codetether_adapters.a2a.card.signing import payload_of
from codetether_adapters.a2a.card.skills import of_agents, of_codebases, of_workers
from codetether_adapters.a2a.routing import spec_of
from codetether_adapters.a2a.skill_ids import is_agent_type, meant_by
from codetether_adapters.a2a_wire.values import Message, Part, Role, Text
from codetether_core.access import DEFAULT_TENANT
from codetether_core.agents import Agent
from codetether_core.codebases import Codebase
from codetether_core.ids import AgentName, CodebaseId, ContextId, WorkerId
from codetether_core.tasks import GLOBAL, TaskSpec
from codetether_core.workers import Worker
from tests.a2a.profiles import profiles

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CARD = {
    "name",
    "description",
    "version",
    "supportedInterfaces",
    "provider",
    "documentationUrl",
    "iconUrl",
    "capabilities",
    "securitySchemes",
    "securityRequirements",
    "defaultInputModes",
    "defaultOutputModes",
    "skills",
    "signatures",
}
SCHEME = {
    "apiKeySecurityScheme",
    "httpAuthSecurityScheme",
    "oauth2SecurityScheme",
    "openIdConnectSecurityScheme",
    "mtlsSecurityScheme",
}
"""The members that release 1.0 has of a card, and of a security scheme, of which it wants exactly one."""


def restricted(card: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: member for name, member in card.items() if name in CARD}
    if "securitySchemes" in found:
        found["securitySchemes"] = {
            name: {member: told for member, told in scheme.items() if member in SCHEME}
            for name, scheme in found["securitySchemes"].items()
        }
    return found


@given(profile=profiles())
def test_the_union_has_the_card_of_release_1_0_in_it(profile: Profile) -> None:
    pure = card_of(profile, "https://a.test")
    union = with_release_0_3(pure)
    assert restricted(union) == restricted(pure) == pure
    assert all(len(scheme) == 1 for scheme in pure.get("securitySchemes", {}).values())


@given(profile=profiles())
def test_an_old_client_reads_the_same_security_as_a_new_one(profile: Profile) -> None:
    """Also one of release 1.0 that takes a typed scheme for an old one, and its members for all that there is."""
    union = with_release_0_3(card_of(profile, "https://a.test"))
    for name, scheme in union.get("securitySchemes", {}).items():
        (member,) = scheme.keys() & SCHEME
        beside = {key: told for key, told in scheme.items() if key not in (member, "type")}
        assert beside == scheme[member], name
    assert [next(iter(each)) for each in union.get("security", ())] == [*union.get("securitySchemes", ())]
    assert union["url"] in {each["url"] for each in union["additionalInterfaces"]}


@given(profile=profiles())
def test_what_is_signed_has_nothing_that_is_empty(profile: Profile) -> None:
    def check(value: Any) -> None:
        assert value not in ("", [], {}, None)
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(each)

    card = card_of(profile, "https://a.test")
    payload = payload_of(card)
    check(json.loads(payload))
    assert payload_of({**card, "signatures": [{"protected": "x", "signature": "y"}]}) == payload


@pytest.mark.parametrize(
    ("told", "flows"),
    [
        ({}, []),
        ({"authorization_endpoint": "a", "grant_types_supported": ["authorization_code"]}, []),
        ({"token_endpoint": "t", "authorization_endpoint": "a"}, ["authorizationCode"]),
        ({"token_endpoint": "t", "authorization_endpoint": "a", "grant_types_supported": ["implicit"]}, []),
        ({"token_endpoint": "t", "grant_types_supported": ["client_credentials"]}, ["clientCredentials"]),
        ({"token_endpoint": "t", "device_authorization_endpoint": "d"}, ["deviceCode"]),
        ({"token_endpoint": 5, "authorization_endpoint": "a"}, []),
    ],
)
def test_only_flows_that_the_provider_has_are_named(told: Mapping[str, Any], flows: list[str]) -> None:
    found = schemes(Provider(issuer="https://id.test", told=told))
    assert [next(iter(each.told["flows"])) for each in found if "flows" in each.told] == flows


def asked(skill: str) -> TaskSpec:
    message = Message(
        message_id="m", role=Role.USER, parts=(Part(content=Text("do it")),), metadata={"skill_id": skill}
    )
    return spec_of(message, {}, ContextId("ctx_1"), "build")


def agent(name: str, **members: Any) -> Agent:
    return Agent(
        name=AgentName(name), tenant=DEFAULT_TENANT, principal="p", registered_at=NOW, last_seen=NOW, **members
    )


def worker(*agents: str, seen: datetime = NOW) -> Worker:
    return Worker(
        id=WorkerId("w"),
        tenant=DEFAULT_TENANT,
        principal="p",
        name="one",
        registered_at=NOW,
        last_seen=seen,
        agents=agents,
    )


@given(name=st.text(min_size=1, max_size=12))
def test_a_message_that_names_an_agents_skill_goes_to_that_agent(name: str) -> None:
    (skill,) = of_agents([agent(name)])
    spec = asked(skill.id)
    assert (spec.target_agent, spec.agent_type, spec.codebase) == (name, "build", GLOBAL)
    assert skill.name == name and skill.description and all(skill.tags)


def test_a_message_that_names_a_codebase_is_worked_on_there() -> None:
    codebase = Codebase(
        id=CodebaseId("cbs_1"),
        tenant=DEFAULT_TENANT,
        name="demo",
        path="/srv/secret",
        registered_at=NOW,
        updated_at=NOW,
    )
    (skill,) = of_codebases([codebase])
    spec = asked(skill.id)
    assert (spec.codebase, spec.agent_type, spec.target_agent) == ("cbs_1", "build", None)
    assert "/srv/secret" not in repr(skill)


def test_types_of_agents_are_those_of_workers_that_are_there() -> None:
    gone = worker("claude", seen=NOW - timedelta(hours=1))
    odd = ("", "agent:x", "codebase:y", "task_delegation", "register_codebase")
    skills = [*of_workers([worker("echo", "codex", *odd), worker("echo"), gone], NOW)]
    assert [skill.id for skill in skills] == ["codex", "echo"]
    assert [asked(skill.id).agent_type for skill in skills] == ["codex", "echo"]


def test_delegation_is_the_default_agents_and_what_the_message_says_counts_more() -> None:
    assert (asked("task_delegation").agent_type, asked("task_delegation").codebase) == ("build", GLOBAL)
    message = Message(
        message_id="m",
        role=Role.USER,
        parts=(Part(content=Text("do it")),),
        metadata={"skill_id": "codebase:cbs_1", "codebase_id": "cbs_2", "agent_type": "plan"},
    )
    spec = spec_of(message, {}, ContextId("ctx_1"), "build")
    assert (spec.codebase, spec.agent_type) == ("cbs_2", "plan")


@given(id=st.text(max_size=12) | st.sampled_from(["agent:", "codebase:x", "task_delegation"]))
def test_an_id_means_one_thing(id: str) -> None:
    meant = meant_by(id)
    assert sum(map(bool, (meant.agent, meant.codebase, meant.agent_type))) <= 1
    assert is_agent_type(id) == bool(meant.agent_type)


def test_words_that_are_no_text_are_still_written() -> None:
    (skill,) = of_agents([agent("a", description="\ud800", models_supported=("\udfff",))])
    assert skill.description == "?" and "model:?" in skill.tags


@pytest.mark.parametrize(
    "since",
    ["", "yesterday", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2020 00:00:00 +99999999999999"],
)
def test_a_date_that_is_none_is_no_condition(since: str) -> None:
    page = page_of({"name": "a"}, NOW)
    assert not page.is_known(None, since)
    assert page.is_known(None, "Sun, 22 Nov 2026 12:00:00 GMT")
