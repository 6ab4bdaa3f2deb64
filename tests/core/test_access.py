"""The default policy: which role may do what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.access import DEFAULT_TENANT, PUBLIC, ROLES, SYSTEM, Principal, allows

resources = st.sampled_from(["tasks", "codebases", "sessions", "approvals", "messages", "agents", "workers", "audit"])
verbs = st.sampled_from(["read", "write", "create", "execute", "cancel", "*"])
roles = st.frozensets(st.sampled_from(sorted(ROLES)))
permissions = st.tuples(resources, verbs).map(":".join)


def having(*roles: str) -> Principal:
    return Principal(name="carol", roles=frozenset(roles))


CASES = {
    "viewer": (["tasks:read", "workers:read"], ["tasks:create", "approvals:answer", "tasks:execute"]),
    "editor": (
        ["tasks:create", "tasks:cancel", "approvals:answer", "codebases:write", "messages:intervene", "audit:read"],
        ["workers:write", "audit:write", "tokens:create"],
    ),
    "worker": (
        ["tasks:read", "tasks:execute", "workers:write", "sessions:write", "codebases:register", "messages:write"],
        ["tasks:create", "tasks:cancel", "approvals:answer", "codebases:write", "messages:intervene"],
    ),
    "admin": (["audit:write", "tokens:create", "anything:at all"], []),
}


@pytest.mark.parametrize("role", CASES)
def test_what_each_role_may_do_and_may_not(role: str) -> None:
    may, may_not = CASES[role]
    assert [permission for permission in may if not allows(having(role), permission)] == []
    assert [permission for permission in may_not if allows(having(role), permission)] == []


def test_the_roles_of_the_policy_are_these() -> None:
    assert set(ROLES) == set(CASES)


@given(permissions)
def test_nobody_in_particular_may_see_only_what_is_public(permission: str) -> None:
    assert not allows(having(), permission)
    assert not allows(having("no such role", "Admin", ""), permission)
    assert allows(having(), PUBLIC)


@given(permissions)
def test_an_admin_may_do_everything(permission: str) -> None:
    assert allows(having("admin"), permission)
    assert allows(SYSTEM, permission)


@given(roles, roles, permissions)
def test_roles_add_up_and_take_nothing_away(some: frozenset[str], more: frozenset[str], permission: str) -> None:
    together = allows(having(*some, *more), permission)
    assert together == (allows(having(*some), permission) or allows(having(*more), permission))


@pytest.mark.parametrize("permission", ["", ":", "tasks", "tasks:", "read", "tasks:read:all", "tasks:*", "PUBLIC"])
def test_a_permission_that_is_misspelt_opens_nothing_to_those_who_have_little(permission: str) -> None:
    """A route with a slip in its permission must fail closed."""
    assert not allows(having("worker"), permission)
    assert not allows(having("viewer"), permission)


def test_a_principal_belongs_to_the_default_tenant_unless_said_otherwise() -> None:
    assert having().tenant == DEFAULT_TENANT == "default"
