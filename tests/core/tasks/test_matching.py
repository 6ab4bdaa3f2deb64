"""Which worker may take what, why not, and that one question per lane is enough."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.access import DEFAULT_TENANT
from codetether_core.ids import AgentName, CodebaseId, TenantId, WorkerId
from codetether_core.tasks import GLOBAL, PENDING_CODEBASE, Lane, Profile, Refusal, TaskSpec, lane_of, refusals
from codetether_core.tasks.matching import BUILT_IN_AGENTS

LANE = Lane(DEFAULT_TENANT, CodebaseId("cb_1"), "build", AgentName("coder"), WorkerId("ann"), ("gpu", "linux"))
ABLE = Profile(
    worker=WorkerId("ann"),
    tenant=DEFAULT_TENANT,
    names=frozenset({"coder", "coder:1"}),
    codebases=frozenset({"cb_1", "cb_2"}),
    capabilities=frozenset({"gpu", "linux", "docker"}),
    agents=frozenset({"build", "plan"}),
)
few = st.sampled_from(["", "a", "b", "a:b"])
sets = st.frozensets(few.filter(bool))
lanes = st.builds(
    Lane,
    tenant=few.map(TenantId),
    codebase=st.sampled_from(["a", "b", GLOBAL, PENDING_CODEBASE]).map(CodebaseId),
    agent_type=st.sampled_from(["build", "echo", "a", "b"]),
    target_agent=st.none() | few.map(AgentName),
    target_worker=st.none() | few.map(WorkerId),
    required_capabilities=sets.map(sorted).map(tuple),
)
profiles = st.builds(
    Profile,
    worker=few.map(WorkerId),
    tenant=few.map(TenantId),
    names=sets,
    codebases=sets,
    capabilities=sets,
    agents=sets | st.just(frozenset({"build"})),
    relays=st.booleans(),
)


def test_a_worker_that_has_everything_may_take_it() -> None:
    assert refusals(LANE, ABLE) == ()


@pytest.mark.parametrize(
    ("profile", "refusal"),
    [
        (evolve(ABLE, tenant=TenantId("other")), Refusal.TENANT),
        (evolve(ABLE, codebases=frozenset({"cb_2"})), Refusal.CODEBASE),
        (evolve(ABLE, worker=WorkerId("bob")), Refusal.TARGET_WORKER),
        (evolve(ABLE, names=frozenset({"coder:1"})), Refusal.TARGET_AGENT),
        (evolve(ABLE, capabilities=frozenset({"linux"})), Refusal.CAPABILITY),
        (evolve(ABLE, agents=frozenset({"plan"})), Refusal.AGENT),
    ],
)
def test_what_a_worker_lacks_is_the_one_reason_given(profile: Profile, refusal: Refusal) -> None:
    """``explain`` shows these to a person who wonders why a task waits; each must name just what is missing."""
    assert refusals(LANE, profile) == (refusal,)


def test_every_reason_is_given_not_the_first() -> None:
    """Somebody who fixes one thing should not find the next only then."""
    stranger = Profile(worker=WorkerId("zoe"), tenant=TenantId("other"), agents=frozenset({"plan"}))
    assert refusals(LANE, stranger) == tuple(Refusal)


def test_who_relays_takes_what_is_for_agents_that_it_knows_and_nothing_else() -> None:
    """Whatever the codebase and the type: they are elsewhere, and their own affair."""
    relay = Profile(worker=WorkerId("ann"), tenant=DEFAULT_TENANT, names=frozenset({"coder"}), relays=True)
    lane = evolve(LANE, required_capabilities=())
    assert refusals(lane, relay) == refusals(evolve(lane, agent_type="a2a"), relay) == ()
    for other in (evolve(lane, target_agent=None), evolve(lane, target_agent=AgentName("other"))):
        assert refusals(other, relay) == (Refusal.TARGET_AGENT,)


@pytest.mark.parametrize("codebase", [GLOBAL, PENDING_CODEBASE])
def test_tasks_of_no_codebase_are_for_any_worker(codebase: CodebaseId) -> None:
    assert refusals(evolve(LANE, codebase=codebase), evolve(ABLE, codebases=frozenset())) == ()


@pytest.mark.parametrize("agent", sorted(BUILT_IN_AGENTS))
def test_every_worker_runs_the_built_in_agents(agent: str) -> None:
    assert refusals(evolve(LANE, agent_type=agent), evolve(ABLE, agents=frozenset({"plan"}))) == ()


def test_a_worker_that_did_not_say_which_agents_it_runs_is_offered_any() -> None:
    """Deployed workers never say."""
    assert refusals(evolve(LANE, agent_type="anything"), evolve(ABLE, agents=frozenset())) == ()


@given(lanes, profiles)
def test_matching_is_what_the_words_say(lane: Lane, profile: Profile) -> None:
    """The same rules a second time, one at a time, as a reader of the API's description would put them."""
    reasons = set(refusals(lane, profile))
    assert (Refusal.TENANT in reasons) == (lane.tenant != profile.tenant)
    anywhere = profile.relays or lane.codebase in {"global", "__pending__", *profile.codebases}
    assert (Refusal.CODEBASE in reasons) == (not anywhere)
    assert (Refusal.TARGET_WORKER in reasons) == (lane.target_worker not in (None, "", profile.worker))
    anybody = set() if profile.relays else {None, ""}
    assert (Refusal.TARGET_AGENT in reasons) == (lane.target_agent not in {*anybody, *profile.names})
    assert (Refusal.CAPABILITY in reasons) == bool(set(lane.required_capabilities) - profile.capabilities)
    runs = lane.agent_type in {"echo", "noop", "register_codebase", *profile.agents} or not profile.agents
    assert (Refusal.AGENT in reasons) == (not runs and not profile.relays)


@given(lanes, profiles, sets)
def test_a_worker_that_can_do_more_may_take_no_less(lane: Lane, profile: Profile, more: frozenset[str]) -> None:
    able = evolve(
        profile,
        names=profile.names | more,
        codebases=profile.codebases | more,
        capabilities=profile.capabilities | more,
        agents=profile.agents | more if profile.agents else profile.agents,
    )
    assert set(refusals(lane, able)) <= set(refusals(lane, profile))


@given(lanes, lanes, profiles)
def test_one_key_means_one_answer(lane: Lane, other: Lane, profile: Profile) -> None:
    """Stores file tasks by the key alone: lanes of one key must be open to the same workers."""
    if lane.key == other.key:
        assert refusals(lane, profile) == refusals(other, profile)
    if lane == other:
        assert lane.key == other.key


@given(st.lists(lanes, max_size=30, unique_by=lambda lane: (lane.target_agent or "", lane.target_worker or "", lane)))
def test_different_lanes_have_different_keys(many: list[Lane]) -> None:
    """Even where the parts of one, run together, read like the parts of another."""
    alike = {
        evolve(lane, target_agent=lane.target_agent or None, target_worker=lane.target_worker or None) for lane in many
    }
    assert len({lane.key for lane in many}) == len(alike)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (evolve(LANE, required_capabilities=("a", "b")), evolve(LANE, required_capabilities=("ab",))),
        (evolve(LANE, required_capabilities=("a", "b")), evolve(LANE, required_capabilities=("a:b",))),
        (evolve(LANE, agent_type="a", target_agent=AgentName("b")), evolve(LANE, agent_type="ab", target_agent=None)),
        (evolve(LANE, target_agent=None), evolve(LANE, target_worker=None)),
    ],
)
def test_lanes_whose_parts_read_alike_when_run_together_are_apart(one: Lane, other: Lane) -> None:
    assert one.key != other.key


def test_a_task_falls_into_the_lane_that_its_specification_names() -> None:
    spec = TaskSpec(
        codebase=CodebaseId("cb_1"),
        title="",
        prompt="",
        target_agent=AgentName("coder"),
        target_worker=WorkerId("ann"),
        required_capabilities=("gpu", "linux"),
    )
    assert lane_of(DEFAULT_TENANT, spec) == LANE
    assert lane_of(DEFAULT_TENANT, evolve(spec, priority=9, title="x", model="y")) == LANE
