"""Every engine decides as ``contracts/policy/cases.json`` says, and none decides for anybody when it fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Final

import pytest
from attrs import evolve

from codetether_adapters.opa import PolicyBroken, RegoPolicy, open_opa_server, shipped_policy
from codetether_core.access import PUBLIC, Principal
from codetether_core.errors import PermissionDenied, Unavailable
from codetether_core.ids import CredentialId, TenantId
from codetether_core.ports import Authorizer
from codetether_core.services import RolePolicy
from tests.contracts.policy import CASES
from tests.policy.opa import RealOpa, opa_server

pytestmark = pytest.mark.anyio

ENGINES: Final = ("roles", "rego", "opa", "opa-server")
ADMIN: Final = Principal(name="ann", roles=frozenset({"admin"}))


@asynccontextmanager
async def policy(engine: str) -> AsyncIterator[Authorizer]:
    """The shipped policy, decided by that engine."""
    match engine:
        case "roles":
            yield RolePolicy()
        case "rego":
            yield RegoPolicy(shipped_policy())
        case "opa":
            yield RealOpa(shipped_policy())
        case _:
            with opa_server(shipped_policy()) as shim:
                async with open_opa_server(shim.url) as server:
                    yield server


async def allowed(
    authorizer: Authorizer, principal: Principal, permission: str, tenant: TenantId | None = None
) -> bool:
    try:
        await authorizer.authorize(principal, permission, tenant=tenant)
    except PermissionDenied as denied:
        assert denied.details == {"permission": permission}
        return False
    return True


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_cases_of_the_contract(engine: str) -> None:
    """Each decided twice: what is remembered is the same."""
    async with policy(engine) as authorizer:
        for case in (*CASES, *CASES):
            assert await allowed(authorizer, case.principal, case.permission, case.tenant) == case.allow, case.name


def rules() -> Iterator[tuple[str, str]]:
    """Each rule of the shipped policy, and what is left of the policy without it."""
    text = shipped_policy()["authz.rego"]
    for block in text.split("\n\n"):
        if not block.startswith(("package", "import", "#", "default")):
            first = block.partition("\n")[0]
            yield re.sub(r"\W+", "-", first).strip("-"), text.replace(block, "", 1)


@pytest.mark.parametrize("left", [pytest.param(left, id=rule) for rule, left in rules()])
async def test_every_rule_matters(left: str) -> None:
    """A policy that lacks it does not compile, or decides one of the cases otherwise: a route turns red."""
    try:
        lacking = RegoPolicy({"authz.rego": left})
    except PolicyBroken:
        return
    for case in CASES:
        if await allowed(lacking, case.principal, case.permission, case.tenant) != case.allow:
            return
    pytest.fail("nobody misses it")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("package codetether.authz\nimport rego.v1\nallow if (", "error: "),
        ("package codetether.authz\nimport rego.v1\nallow if no_such_function(1)", "no_such_function"),
        ("package elsewhere\nimport rego.v1\nallow := true", "not a valid rule path"),
    ],
)
def test_a_policy_that_cannot_decide_is_refused_at_once(module: str, said: str) -> None:
    with pytest.raises(PolicyBroken, match=re.escape(said)) as refused:
        RegoPolicy({"mine.rego": module})
    assert "Stack backtrace" not in refused.value.message


@pytest.mark.parametrize("decides", ['"yes"', "1", "{true}", "[true]", "null", "false"])
async def test_anything_but_true_is_no(decides: str) -> None:
    mine = RegoPolicy({"mine.rego": f"package codetether.authz\nimport rego.v1\nallow := {decides}"})
    assert not await allowed(mine, ADMIN, "tasks:read")


async def test_a_rule_that_fails_when_it_runs_allows_nothing() -> None:
    """Such as one that has two values."""
    both = RegoPolicy(
        {
            "mine.rego": "package codetether.authz\nimport rego.v1\n"
            'allow := true if input.principal.name != "" \nallow := false if input.principal.name == "ann"\n'
            'allow := true if input.permission == "public"'
        }
    )
    assert not await allowed(both, ADMIN, "tasks:read")
    assert await allowed(both, ADMIN, "tasks:read") is False


def test_each_thread_has_an_engine_of_its_own() -> None:
    """Regorus would panic."""
    rego = RegoPolicy(shipped_policy())
    found: list[bool] = []
    other = Thread(target=lambda: found.append(asyncio.run(allowed(rego, ADMIN, "audit:read"))))
    other.start()
    other.join()
    assert found == [True]
    assert asyncio.run(allowed(rego, ADMIN, "audit:read"))


async def test_what_a_credential_is_called_makes_no_other_decision() -> None:
    """A server of many keys asks once."""
    with opa_server(shipped_policy()) as shim:
        async with open_opa_server(f"{shim.url}/") as server:
            for number in range(3):
                key = evolve(ADMIN, credential=CredentialId(f"key_{number}"), expires_at=datetime.now(UTC))
                await server.authorize(key, "tasks:read")
    assert shim.asked == [
        {
            "permission": "tasks:read",
            "principal": {"name": "ann", "tenant": "default", "roles": ["admin"], "scopes": None, "worker": None},
            "resource": {"tenant": "default"},
        }
    ]


@pytest.mark.parametrize("instead", [(500, b"{}"), (200, b"no"), (404, b'{"result": true}')])
async def test_a_policy_server_that_does_not_say_allows_nothing(instead: tuple[int, bytes]) -> None:
    """Nor is that remembered: it may say so the next time."""
    with opa_server(shipped_policy()) as shim:
        async with open_opa_server(shim.url) as server:
            shim.instead = instead
            with pytest.raises(Unavailable, match="policy server"):
                await server.authorize(ADMIN, "tasks:read")
            shim.instead = None
            await server.authorize(ADMIN, "tasks:read")
    with pytest.raises(Unavailable):
        async with open_opa_server(shim.url) as server:
            await server.authorize(ADMIN, PUBLIC)


@pytest.mark.parametrize("result", [b"{}", b"[]", b'{"result": "true"}', b'{"result": {"allow": true}}'])
async def test_a_policy_server_that_says_something_else_says_no(result: bytes) -> None:
    with opa_server(shipped_policy()) as shim:
        shim.instead = 200, result
        async with open_opa_server(shim.url) as server:
            assert not await allowed(server, ADMIN, "tasks:read")


async def test_a_tenant_that_a_caller_makes_up_is_asked_about_each_time() -> None:
    """What is remembered of the own one is no answer to it, nor does it take that one's place."""
    with opa_server(shipped_policy()) as shim:
        async with open_opa_server(shim.url) as server:
            for policy in (server, RegoPolicy(shipped_policy()), RolePolicy()):
                for tenant, allow in ((None, True), ("acme", False), ("default", True), ("acme", False)):
                    assert (
                        await allowed(policy, ADMIN, "tasks:read", None if tenant is None else TenantId(tenant))
                        == allow
                    )
    assert [asked["resource"]["tenant"] for asked in shim.asked] == ["default", "acme", "acme"]
