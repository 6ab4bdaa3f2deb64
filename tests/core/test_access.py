"""The default policy: which role may do what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.access import DEFAULT_TENANT, PERMISSIONS, PUBLIC, ROLES, SYSTEM, Principal, allows
from tests.contracts.policy import CASES, MATRIX, ROLE_NAMES, Case

roles = st.frozensets(st.sampled_from(sorted(ROLES)))
permissions = st.sampled_from(sorted(PERMISSIONS))
scopes = st.frozensets(st.one_of(permissions, permissions.map(lambda each: f"{each.partition(':')[0]}:*")))


def having(*roles: str, scopes: frozenset[str] | None = None) -> Principal:
    return Principal(name="carol", roles=frozenset(roles), scopes=scopes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_the_cases_of_the_contract(case: Case) -> None:
    assert allows(case.principal, case.permission, case.tenant) == case.allow


def test_the_contract_knows_every_role_and_every_permission() -> None:
    assert set(ROLES) == set(ROLE_NAMES)
    assert set(PERMISSIONS) == set(MATRIX)


@given(permissions)
def test_an_admin_may_do_everything_there_is(permission: str) -> None:
    assert allows(having("admin"), permission)
    assert allows(SYSTEM, permission)


@given(roles, roles, permissions)
def test_roles_add_up_and_take_nothing_away(some: frozenset[str], more: frozenset[str], permission: str) -> None:
    together = allows(having(*some, *more), permission)
    assert together == (allows(having(*some), permission) or allows(having(*more), permission))


@given(roles, scopes, scopes, permissions)
def test_scopes_only_narrow(some: frozenset[str], few: frozenset[str], more: frozenset[str], permission: str) -> None:
    narrow = allows(having(*some, scopes=few), permission)
    wider = allows(having(*some, scopes=few | more), permission)
    assert narrow <= wider <= allows(having(*some), permission)
    resource = permission.partition(":")[0]
    assert narrow == (allows(having(*some), permission) and bool(few & {permission, f"{resource}:*"}))


@pytest.mark.parametrize("permission", ["", ":", "tasks", "tasks:", "read", "tasks:read:all", "tasks:*", "PUBLIC"])
def test_a_permission_that_is_misspelt_opens_nothing(permission: str) -> None:
    """A route with a slip in its permission must fail closed."""
    for role in ROLES:
        assert not allows(having(role), permission)
        assert not allows(having(role, scopes=frozenset({permission, "*:*", ":*"})), permission)
    assert allows(having(), PUBLIC)


def test_a_principal_belongs_to_the_default_tenant_unless_said_otherwise() -> None:
    assert having().tenant == DEFAULT_TENANT == "default"
