"""Functions as agents."""

import asyncio
from pathlib import Path
from typing import Any

import anyio
import pytest

from codetether_adapters.client import AgentRun, AsyncClient, TaskFailed, TaskHandle, Worker
from codetether_adapters.client.held_run import AgentFunction, HeldRun
from codetether_adapters.client.operations import Async
from codetether_core.access import ToolKind, ToolUse
from codetether_core.approvals import ApprovalKind, Option, OptionKind
from codetether_core.errors import DeniedByPolicy, Invalid, PermissionDenied, Unauthenticated
from codetether_core.ids import SessionId
from codetether_core.ports import RunFailed, RunOutcome
from codetether_core.tasks import TaskState
from tests.client.servers import TOKEN


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def worker_of(client: AsyncClient) -> Worker:
    worker = Worker(client)

    @worker.agent("shout")
    async def shout(run: AgentRun) -> str:
        for word in run.task.prompt.split():
            await run.emit(f"{word.upper()}\n")
        return run.task.prompt.upper()

    @worker.agent("answer")
    async def answer(run: AgentRun) -> RunOutcome:
        return RunOutcome(result="42", reason="answered", session=SessionId("ses_1"))

    @worker.agent("refuse")
    async def refuse(run: AgentRun) -> None:
        raise RunFailed("I would rather not", "refused")

    @worker.agent("crash")
    async def crash(run: AgentRun) -> None:
        raise ZeroDivisionError("by nought")

    @worker.agent("ask")
    async def ask(run: AgentRun) -> str:
        answer = await run.ask("May I?", Option(id="yes", label="Yes"))
        return f"you said {answer.choice}"

    @worker.agent("garble")
    async def garble(run: AgentRun) -> str:
        await run.emit("a\0b\ud83d\n")
        await run.emit("x" * 100_000)
        return "\0" + "y" * (5 << 20)

    @worker.agent("number")
    async def number(run: AgentRun) -> str:
        return 42  # type: ignore[return-value]

    @worker.agent("whisper")
    async def whisper(run: AgentRun) -> None:
        await run.emit("psst", stream="a\0b")
        await anyio.sleep_forever()

    @worker.agent("misname")
    async def misname(run: AgentRun) -> None:
        raise RunFailed("\0" + "z" * (5 << 20), "a\0b")

    @worker.agent("give up")
    async def give_up(run: AgentRun) -> None:
        raise anyio.get_cancelled_exc_class()

    @worker.agent("give up waiting")
    async def give_up_waiting(run: AgentRun) -> None:
        other = asyncio.ensure_future(asyncio.sleep(3600))
        other.cancel()
        await other

    @worker.agent("give up for good")
    async def give_up_for_good(run: AgentRun) -> None:
        itself = asyncio.current_task()
        assert itself is not None
        itself.cancel()
        await anyio.sleep_forever()

    @worker.agent("sleep")
    async def sleep(run: AgentRun) -> None:
        await run.emit("asleep\n")
        await anyio.sleep_forever()

    return worker


async def told(handle: TaskHandle[Async], state: TaskState) -> None:
    """Wait until the task is told to be in a state."""
    async for event in handle.events():
        if event.status is state:
            return


async def asleep(handle: TaskHandle[Async]) -> None:
    async for _ in handle.output():
        return


async def test_functions_do_tasks_and_tell_what_came_of_them(hub_url: str) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        beside.start_soon(worker_of(client).run)
        with anyio.fail_after(20):
            shouted = await client.tasks.run("hello there", agent="shout")
            assert await shouted.result() == "HELLO THERE"
            assert [text async for text in shouted.output()] == ["HELLO\n", "THERE\n"]
            answered = await client.tasks.run("x", agent="answer")
            assert await answered.result() == "42"
            assert (answered.task.reason, answered.task.session_id) == ("answered", "ses_1")
            with pytest.raises(TaskFailed, match="rather not") as refused:
                await (await client.tasks.run("x", agent="refuse")).result()
            assert refused.value.reason == "refused"
            with pytest.raises(TaskFailed, match="ZeroDivisionError: by nought"):
                await (await client.tasks.run("x", agent="crash")).result()
        beside.cancel_scope.cancel()


async def test_offers_that_come_while_all_slots_are_taken_are_kept(hub_url: str) -> None:
    """The server knows of a free slot before the worker does; what it offers then it does not offer soon again."""
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        worker = Worker(client, slots=1)

        @worker.agent("quick")
        async def quick(run: AgentRun) -> str:
            return "ok"

        beside.start_soon(worker.run)
        with anyio.fail_after(20):  # less than the server waits before it offers again
            tasks = [await client.tasks.run("x", agent="quick") for _ in range(20)]
            for task in tasks:
                assert await task.result() == "ok"
        beside.cancel_scope.cancel()


@pytest.mark.parametrize("agent", ["give up", "give up waiting", "give up for good"])
async def test_a_function_that_cancels_itself_fails_its_task_and_no_other(hub_url: str, agent: str) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        beside.start_soon(worker_of(client).run)
        with anyio.fail_after(20):
            sleeping = await client.tasks.run("x", agent="sleep")
            await asleep(sleeping)
            with pytest.raises(TaskFailed) as failed:
                await (await client.tasks.run("x", agent=agent)).result()
            assert failed.value.reason == "agent_crashed"
            assert await (await client.tasks.run("hi", agent="shout")).result() == "HI"
            assert (await sleeping.refresh()).status is TaskState.RUNNING
            await sleeping.cancel()
        beside.cancel_scope.cancel()


async def test_a_worker_with_a_wrong_token_says_so_plainly(hub_url: str) -> None:
    async with AsyncClient(hub_url, token="wrong") as client:
        with anyio.fail_after(20), pytest.raises(Unauthenticated):
            await worker_of(client).run()


async def test_names_may_have_any_letters(hub_url: str) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        worker = Worker(client, name="wörk", capabilities=["größe"])

        @worker.agent("mü")
        async def small(run: AgentRun) -> str:
            return "µ"

        beside.start_soon(worker.run)
        with anyio.fail_after(20):
            task = await client.tasks.run("x", agent="mü", target_agent="wörk", capabilities=["größe"])
            assert await task.result() == "µ"
        beside.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("told", "field"), [({"name": " me"}, "agent_name"), ({"capabilities": ["gpu\n"]}, "capabilities")]
)
async def test_what_no_stream_can_be_asked_for_with_ends_the_worker(
    hub_url: str, told: dict[str, Any], field: str
) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client:
        with anyio.fail_after(20), pytest.raises(Invalid) as refusal:
            await Worker(client, **told).run()
    assert refusal.value.field == field


async def test_a_function_asks_and_gets_the_answer(hub_url: str) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        beside.start_soon(worker_of(client).run)
        with anyio.fail_after(20):
            asked = await client.tasks.run("x", agent="ask")
            await told(asked, TaskState.INPUT_REQUIRED)
            await asked.answer("yes")
            assert await asked.result() == "you said yes"
        beside.cancel_scope.cancel()


async def test_what_the_policy_answers_a_function_waits_for_nobody(hub_url: str) -> None:
    yes = Option(id="yes", label="Yes", kind=OptionKind.ALLOW_ONCE)
    no = Option(id="no", label="No", kind=OptionKind.REJECT_ONCE)
    hook = ToolUse(name="Write", kind=ToolKind.EDIT, paths=(".git/hooks/po\0st",))
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        worker = Worker(client)

        @worker.agent("wish")
        async def wish(run: AgentRun) -> str:
            permission, thought = ApprovalKind.PERMISSION, ToolUse(name="Think", kind=ToolKind.THINK)
            allowed = await run.ask("May I think?", yes, no, kind=permission, tool=thought)
            denied = await run.ask("May I hook?", yes, no, kind=permission, tool=hook)
            with pytest.raises(DeniedByPolicy) as refused:
                await run.ask("May I?", yes, kind=permission, tool=hook)
            assert denied.tool is not None and denied.tool.paths == (".git/hooks/po␀st",)
            return f"{allowed.allowed} {denied.allowed} {denied.text} {refused.value.rule}"

        beside.start_soon(worker.run)
        with anyio.fail_after(20):
            task = await client.tasks.run("x", agent="wish")
            assert await task.result() == (
                "True False What is in .git is changed by git alone: use its commands. git_internals"
            )
        beside.cancel_scope.cancel()


async def test_a_cancelled_task_cancels_its_function_and_the_stop_is_confirmed(hub_url: str) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        beside.start_soon(worker_of(client).run)
        with anyio.fail_after(20):
            sleeping = await client.tasks.run("x", agent="sleep")
            await asleep(sleeping)
            await sleeping.cancel()
            while not (await sleeping.refresh()).stopped:
                await anyio.lowlevel.checkpoint()
        beside.cancel_scope.cancel()


async def test_a_worker_that_leaves_gives_its_task_back_uncharged(hub_url: str) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client:
        sleeping = await client.tasks.run("x", agent="sleep")
        with anyio.fail_after(20):
            async with anyio.create_task_group() as beside:
                beside.start_soon(worker_of(client).run)
                await asleep(sleeping)
                beside.cancel_scope.cancel()
        task = await sleeping.cancel()
        assert (task.worker_id is None, task.attempts_charged) == (False, 0)
        assert [event.status async for event in sleeping.events() if event.status] == [
            TaskState.PENDING,
            TaskState.RUNNING,
            TaskState.PENDING,
            TaskState.CANCELLED,
        ]


async def test_no_output_and_no_result_is_too_much(hub_url: str) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        beside.start_soon(worker_of(client).run)
        with anyio.fail_after(20):
            garbled = await client.tasks.run("x", agent="garble")
            result = await garbled.result()
            assert result.startswith("␀yyy")
            assert result.endswith("bytes after this were cut]")
            texts = [text async for text in garbled.output()]
            assert texts[0] == "a␀b\ufffd\n"
            assert "".join(texts[1:]) == "x" * 100_000
        beside.cancel_scope.cancel()


async def test_a_result_that_is_no_text_fails_its_task(hub_url: str) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        beside.start_soon(worker_of(client).run)
        with anyio.fail_after(20), pytest.raises(TaskFailed, match="returns text or None, not int"):
            await (await client.tasks.run("x", agent="number")).result()
        beside.cancel_scope.cancel()


@pytest.mark.parametrize(("agent", "reason"), [("whisper", "output_refused"), ("misname", "outcome_refused")])
async def test_what_the_server_refuses_fails_that_task_and_no_other(hub_url: str, agent: str, reason: str) -> None:
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        beside.start_soon(worker_of(client).run)
        with anyio.fail_after(20):
            sleeping = await client.tasks.run("x", agent="sleep")
            await asleep(sleeping)
            with pytest.raises(TaskFailed) as refused:
                await (await client.tasks.run("x", agent=agent)).result()
            assert refused.value.reason == reason
            assert await (await client.tasks.run("hi", agent="shout")).result() == "HI"
            assert (await sleeping.refresh()).status is TaskState.RUNNING
            await sleeping.cancel()
        beside.cancel_scope.cancel()


async def test_a_run_that_is_lost_takes_no_other_with_it(
    hub_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    execute, lost = HeldRun.execute, anyio.Event()

    async def sometimes(run: HeldRun, function: AgentFunction) -> None:
        await execute(run, function)
        if run.claimed.task.title == "unlucky":
            lost.set()
            raise ExceptionGroup("several", [PermissionDenied("No.")])

    monkeypatch.setattr(HeldRun, "execute", sometimes)
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        beside.start_soon(worker_of(client).run)
        with anyio.fail_after(20):
            unlucky = await client.tasks.run("x", agent="shout", title="unlucky")
            await lost.wait()
            assert await (await client.tasks.run("hi", agent="shout")).result() == "HI"
        assert f"the run of {unlucky.id} was lost" in caplog.text
        beside.cancel_scope.cancel()


async def test_a_function_leaves_files(hub_url: str, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(300_000))
    async with AsyncClient(hub_url, token=TOKEN) as client, anyio.create_task_group() as beside:
        worker = Worker(client)

        @worker.agent("leave")
        async def leave(run: AgentRun) -> None:
            await run.attach("a/small.txt", b"small", media_type="text/plain")
            await run.attach("big", tmp_path / "big")

        beside.start_soon(worker.run)
        with anyio.fail_after(20):
            task = await client.tasks.run("x", agent="leave")
            await task.result()
            assert [(each.name, each.media_type, each.size) for each in await task.artifacts()] == [
                ("a/small.txt", "text/plain", 5),
                ("big", "application/octet-stream", 300_000),
            ]
            assert [chunk async for chunk in task.read_artifact("a/small.txt")] == [b"small"]
            assert b"".join([chunk async for chunk in task.read_artifact("big")]) == bytes(300_000)
            with pytest.raises(Invalid):
                await anext(task.read_artifact("../other"))
        beside.cancel_scope.cancel()
