"""Codebases: registered by many workers, changed only by what is new."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codetether_core.access import DEFAULT_TENANT
from codetether_core.codebases import Codebase, served_by
from codetether_core.ids import CodebaseId, WorkerId

ANN, BOB = WorkerId("ann"), WorkerId("bob")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
CODEBASE = Codebase(
    id=CodebaseId("cb_1"),
    tenant=DEFAULT_TENANT,
    name="shop",
    path="/srv/shop",
    registered_at=NOW,
    updated_at=NOW,
    description="The shop",
    agent_config={"model": "m"},
    workers=frozenset({ANN}),
)
registrations = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["ann", "bob"]).map(WorkerId),
        st.sampled_from(["", "The shop", "A shop"]),
        st.sampled_from([{}, {"model": "m"}, {"model": "n"}]),
    ),
    max_size=6,
)


def test_another_worker_joins_those_that_serve_it() -> None:
    served = served_by(CODEBASE, BOB, LATER, agent_config={})
    assert (served.workers, served.version, served.updated_at) == (frozenset({ANN, BOB}), 2, LATER)
    assert (served.description, served.agent_config) == ("The shop", {"model": "m"})


def test_a_worker_that_says_the_same_again_changes_nothing() -> None:
    """Workers register at every start and reconnect; the log must not fill with it."""
    assert served_by(CODEBASE, ANN, LATER, agent_config={"model": "m"}) is CODEBASE
    assert served_by(CODEBASE, None, LATER, description="The shop", agent_config={}) is CODEBASE


def test_what_is_told_anew_replaces_and_what_is_left_out_stays() -> None:
    told = served_by(CODEBASE, None, LATER, description="A shop", agent_config={"model": "n"})
    assert (told.description, told.agent_config, told.workers) == ("A shop", {"model": "n"}, frozenset({ANN}))


@given(registrations)
def test_a_version_is_a_change_and_workers_only_join(told: list[tuple[WorkerId | None, str, dict[str, Any]]]) -> None:
    codebase = CODEBASE
    for worker, description, agent_config in told:
        after = served_by(codebase, worker, LATER, description=description, agent_config=agent_config)
        assert (after is codebase) == (after.version == codebase.version)
        assert after is codebase or after.version == codebase.version + 1
        assert after.workers == codebase.workers | ({worker} if worker else set())
        assert (after.id, after.name, after.path, after.registered_at) == ("cb_1", "shop", "/srv/shop", NOW)
        codebase = after
