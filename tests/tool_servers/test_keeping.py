"""Registering tool servers: asked before they are kept, replaced whole, told who we are by whom that is right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve, frozen

from codetether_adapters.ciphers import Aes
from codetether_core.access import Principal
from codetether_core.errors import Conflict, Invalid, NotConfigured, NotFound, PermissionDenied, Unavailable
from codetether_core.events import CREDENTIALS, Topic
from codetether_core.ids import TenantId
from codetether_core.ports import Backend
from codetether_core.services import Services, ToolServerKeeping, assemble
from tests.services.conftest import Dice, FakeClock, backend, clock
from tests.tool_servers.caller import Caller, tool

__all__ = ["backend", "clock"]

pytestmark = pytest.mark.anyio

ADMIN = Principal(name="ann", roles=frozenset({"admin"}))
OPERATOR = Principal(name="olga", roles=frozenset({"operator"}))
URL = "https://tools.example/mcp"
SECRET = "a-key-of-ours-0123456789"


@frozen
class Scene:
    """The services, and whom they ask."""

    services: Services
    caller: Caller
    clock: FakeClock

    @property
    def keeping(self) -> ToolServerKeeping:
        return self.services.tool_server_keeping

    async def kinds(self) -> list[str]:
        """What the log says of tool servers."""
        log = self.services.backend.log
        page = await log.read(Topic(ADMIN.tenant, CREDENTIALS, "tool-server/issues"), await log.start())
        return [record.kind for record in page.records]


@pytest.fixture
async def scene(backend: Backend, clock: FakeClock) -> AsyncIterator[Scene]:
    caller = Caller()
    services = assemble(backend, clock, Dice(), cipher=Aes([("k1", b"k" * 32)]), tool_caller=caller)
    await services.secret_keeping.register(ADMIN, "issues-key", SECRET)
    yield Scene(services, caller, clock)


async def test_a_server_is_asked_which_tools_it_has_and_kept(scene: Scene) -> None:
    found = await scene.keeping.register(OPERATOR, "issues", URL, tools=("se*",), description="Ours")
    assert [each.name for each in found.tools] == ["search", "delete"]
    assert [each.name for each in found.offered] == ["search"]
    assert (found.problem, found.at) == (None, scene.clock.now())
    (kept,) = await scene.keeping.list(OPERATOR)
    assert kept == found.server == await scene.keeping.get(OPERATOR, "issues")
    assert (kept.registered_by, kept.registered_at, kept.version) == ("olga", scene.clock.now(), 1)
    assert [credential for _, credential in scene.caller.asked] == [""]


async def test_one_that_does_not_answer_is_not_kept(scene: Scene) -> None:
    """A URL that is wrong is told at once; what was there before stays."""
    before = (await scene.keeping.register(ADMIN, "issues", URL)).server
    for refusal in (Unavailable("There was no answer"), Invalid("url", "speaks no MCP")):
        scene.caller.refusal = refusal
        for name in ("issues", "others"):
            with pytest.raises(type(refusal)):
                await scene.keeping.register(ADMIN, name, f"{URL}/elsewhere")
    assert await scene.keeping.list(ADMIN) == [before]
    assert await scene.kinds() == ["tool_server.registered"]


async def test_what_cannot_be_is_refused_before_anybody_is_asked(scene: Scene) -> None:
    wrong: list[dict[str, Any]] = [{"tools": ()}, {"timeout": timedelta()}, {"header": "X-Key"}, {"secret": "none"}]
    for told in wrong:
        with pytest.raises((Invalid, NotFound)):
            await scene.keeping.register(ADMIN, "issues", URL, **told)
    with pytest.raises(Invalid):
        await scene.keeping.register(ADMIN, "iss__ues", URL)
    assert not scene.caller.asked


@pytest.mark.parametrize("field", ["url", "description", "header", "prefix"])
async def test_a_text_with_a_secret_in_it_is_refused(scene: Scene, field: str) -> None:
    """What is kept here is told to whoever may read it."""
    told: dict[str, Any] = {"url": URL, "secret": "issues-key"}
    told[field] = f"{URL}/{SECRET}" if field == "url" else SECRET
    with pytest.raises(Invalid) as refusal:
        await scene.keeping.register(ADMIN, "issues", **told)
    assert (refusal.value.field, refusal.value.code) == (field, "secret_in_text")
    assert not scene.caller.asked


async def test_another_of_its_name_takes_its_place_whole(scene: Scene) -> None:
    """Also its secret is gone: nobody who may not have it sent changes where it is sent."""
    await scene.keeping.register(ADMIN, "issues", URL, secret="issues-key", description="Ours")
    scene.clock.at += timedelta(days=1)
    new = (await scene.keeping.register(OPERATOR, "issues", f"{URL}/v2")).server
    assert (new.url, new.sign_in, new.description, new.version) == (f"{URL}/v2", None, "", 2)
    assert (new.registered_by, new.registered_at) == ("olga", scene.clock.now())
    assert [credential for _, credential in scene.caller.asked] == [SECRET, ""]
    assert await scene.keeping.remove(ADMIN, "issues") == new
    assert await scene.kinds() == ["tool_server.registered", "tool_server.changed", "tool_server.removed"]


async def test_of_many_who_register_one_at_once_all_do(scene: Scene) -> None:
    """One after another, each in the place of the one before."""
    found = await asyncio.gather(*(scene.keeping.register(ADMIN, "issues", f"{URL}/{n}") for n in range(8)))
    assert {each.server.version for each in found} == {*range(1, 9)}
    (kept,) = await scene.keeping.list(ADMIN)
    assert kept == max((each.server for each in found), key=lambda server: server.version)
    assert await scene.kinds() == ["tool_server.registered", *["tool_server.changed"] * 7]


async def test_a_secret_is_named_by_whoever_may_say_who_is_told_it(scene: Scene) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        await scene.keeping.register(OPERATOR, "issues", URL, secret="issues-key")
    assert refusal.value.details == {"permission": "secrets:write"} and not scene.caller.asked
    kept = (await scene.keeping.register(ADMIN, "issues", URL, secret="issues-key", header="X-Key")).server
    assert kept.sign_in is not None and (kept.sign_in.header, kept.sign_in.prefix) == ("X-Key", "")
    with pytest.raises(PermissionDenied):
        await scene.keeping.register(OPERATOR, "issues", f"{URL}/mine", secret="issues-key")
    assert await scene.keeping.tells_secrets(OPERATOR)
    assert not await scene.keeping.tells_secrets(Principal(name="eve", roles=frozenset({"editor"})))


async def test_what_a_server_says_tells_no_secret(scene: Scene) -> None:
    """Whoever is told one can say it again, to people who may not know it."""
    schema = {"properties": {"q": {"default": [SECRET]}}}
    scene.caller.offered = [tool("search", title=SECRET, description=f"as {SECRET}", hints={"x": SECRET})]
    scene.caller.offered = [evolve(scene.caller.offered[0], arguments=schema)]
    found = await scene.keeping.register(ADMIN, "issues", URL, secret="issues-key")
    assert SECRET not in repr(found) and found.tools[0].name == "search"
    scene.caller.refusal = Unavailable(f"It said: {SECRET} is wrong")
    unwell = await scene.keeping.check(ADMIN, "issues")
    assert unwell.problem is not None and SECRET not in unwell.problem
    for refusal in (Unavailable(f"It said: {SECRET}", at=SECRET), Invalid("", f"It said: {SECRET}")):
        scene.caller.refusal = refusal
        with pytest.raises(type(refusal), match="It said") as refused:
            await scene.keeping.register(OPERATOR, "issues", URL)
        assert SECRET not in f"{refused.value} {vars(refused.value)}"


async def test_it_is_asked_again_how_it_is(scene: Scene) -> None:
    kept = (await scene.keeping.register(ADMIN, "issues", URL, tools=("search",), secret="issues-key")).server
    scene.clock.at += timedelta(hours=1)
    well = await scene.keeping.check(OPERATOR, "issues")
    assert (well.server, well.problem, well.at) == (kept, None, scene.clock.now())
    assert [each.name for each in well.offered] == ["search"] and len(well.tools) == 2
    scene.caller.refusal = Unavailable("There was no answer", hint="start it")
    unwell = await scene.keeping.check(OPERATOR, "issues")
    assert (unwell.problem, unwell.hint, unwell.tools) == ("There was no answer", "start it", ())
    assert {credential for _, credential in scene.caller.asked} == {SECRET}
    with pytest.raises(NotFound):
        await scene.keeping.check(OPERATOR, "none")


async def test_a_secret_that_is_gone_or_for_others_by_now_is_a_problem_too(scene: Scene) -> None:
    await scene.keeping.register(ADMIN, "issues", URL, secret="issues-key")
    asked = len(scene.caller.asked)
    await scene.services.secret_keeping.register(
        ADMIN, "issues-key", SECRET, variable="KEY", agents=frozenset({"claude"})
    )
    assert "not for agents elsewhere" in str((await scene.keeping.check(ADMIN, "issues")).problem)
    await scene.services.secret_keeping.remove(ADMIN, "issues-key")
    assert (await scene.keeping.check(ADMIN, "issues")).problem == "Secret not found"
    assert len(scene.caller.asked) == asked


async def test_nobody_waits_long_to_be_told_which_tools_there_are(scene: Scene) -> None:
    """A call may take its time; what is kept says how much."""
    for timeout, asking in ((timedelta(minutes=5), timedelta(seconds=30)), (timedelta(seconds=3),) * 2):
        kept = (await scene.keeping.register(ADMIN, "issues", URL, timeout=timeout)).server
        assert (kept.timeout, scene.caller.asked[-1][0].timeout) == (timeout, asking)


async def test_there_are_no_more_than_fifty(scene: Scene) -> None:
    """The fiftieth may yet be replaced, and another tenant has its own."""
    for number in range(50):
        await scene.keeping.register(ADMIN, f"s{number}", URL)
    asked = len(scene.caller.asked)
    with pytest.raises(Conflict) as refusal:
        await scene.keeping.register(ADMIN, "one-more", URL)
    assert refusal.value.hint and len(scene.caller.asked) == asked
    assert (await scene.keeping.register(ADMIN, "s7", URL)).server.version == 2
    other = Principal(name="ann", tenant=TenantId("other"), roles=frozenset({"admin"}))
    await scene.keeping.register(other, "one-more", URL)
    assert [each.name for each in await scene.keeping.list(other)] == ["one-more"]
    await scene.keeping.remove(ADMIN, "s7")
    await scene.keeping.register(ADMIN, "one-more", URL)


async def test_where_nobody_can_be_asked_none_is_registered(backend: Backend, clock: FakeClock) -> None:
    """What is there is listed and forgotten all the same."""
    there = assemble(backend, clock, Dice(), tool_caller=Caller()).tool_server_keeping
    here = assemble(backend, clock, Dice()).tool_server_keeping
    await there.register(ADMIN, "issues", URL)
    for refused in (here.register(ADMIN, "others", URL), here.check(ADMIN, "issues")):
        with pytest.raises(NotConfigured):
            await refused
    assert [each.name for each in await here.list(ADMIN)] == ["issues"]
    await here.remove(ADMIN, "issues")
    with pytest.raises(NotFound):
        await here.get(ADMIN, "issues")
