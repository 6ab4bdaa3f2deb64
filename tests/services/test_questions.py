"""Questions that are asked twice, answered late, or answered when the one who asked is gone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from attrs import evolve

from codetether_core.access import ToolKind, ToolUse
from codetether_core.approvals import ApprovalKind, ApprovalState, Option, OptionKind
from codetether_core.errors import AlreadyAnswered, IdempotencyMismatch
from codetether_core.events import Topic
from codetether_core.services import Question
from codetether_core.tasks import TaskState
from tests.services.desk import TENANT, USER, open_desk


async def test_a_question_sent_again_is_the_same_question() -> None:
    """Its answer was lost on the way to the agent; a second approval would keep the task waiting after the answer."""
    async with open_desk() as desk:
        task, word = await desk.claimed(await desk.submitted())
        asked = [
            await desk.services.asking.ask(TENANT, word, task.id, Question(prompt="ok?"), key="q-1") for _ in range(2)
        ]
        assert asked[0][1].id == asked[1][1].id
        await desk.services.questions.answer(USER, asked[0][1].id, text="yes")
        assert (await desk.get(task.id)).state is TaskState.RUNNING
        _, known = await desk.services.asking.ask(TENANT, word, task.id, Question(prompt="ok?"), key="q-1")
        assert known.text == "yes"


async def test_a_key_is_no_leave_for_another_tool() -> None:
    """Whatever was allowed under it before."""
    option = Option(id="yes", label="Yes", kind=OptionKind.ALLOW_ONCE)
    looking = Question(
        prompt="ok?",
        kind=ApprovalKind.PERMISSION,
        options=(option,),
        tool=ToolUse(name="Think", kind=ToolKind.THINK),
    )
    async with open_desk() as desk:
        task, word = await desk.claimed(await desk.submitted())
        for _ in range(2):
            _, allowed = await desk.services.asking.ask(TENANT, word, task.id, looking, key="call_1")
            assert allowed.choice == "yes"
        other = evolve(looking, tool=ToolUse(name="Bash", kind=ToolKind.EXECUTE, command="make"))
        with pytest.raises(IdempotencyMismatch):
            await desk.services.asking.ask(TENANT, word, task.id, other, key="call_1")


async def test_the_next_run_is_told_the_answer_to_a_parked_question() -> None:
    async with open_desk() as desk:
        task, word = await desk.claimed(await desk.submitted())
        _, parked = await desk.services.asking.ask(TENANT, word, task.id, Question(prompt="ok?", held=False))
        await desk.services.questions.answer(USER, parked.id, text="yes")
        again, _ = await desk.claimed(task, worker="w2")
        assert [each.text for each in await desk.services.questions.answers(again)] == ["yes"]


async def test_the_message_of_an_answer_is_kept_with_it() -> None:
    """As a protocol told it; whoever follows the task is told the answer, not how it was sent."""
    message = {"role": "ROLE_USER", "parts": [{"text": "yes"}]}
    async with open_desk() as desk:
        task, word = await desk.claimed(await desk.submitted())
        _, asked = await desk.services.asking.ask(TENANT, word, task.id, Question(prompt="ok?"))
        await desk.services.questions.answer(USER, asked.id, text="yes", reply=message)
        assert (await desk.services.questions.get(USER, asked.id)).reply == message
        topic = Topic.task(TENANT, task.spec.codebase, task.id)
        page = await desk.services.backend.log.read(topic, await desk.services.backend.log.start())
        told = [json.loads(record.body) for record in page.records if record.kind == "approval.answered"]
        assert [(each["text"], "reply" in each) for each in told] == [("yes", False)]


async def test_an_answer_at_the_deadline_is_too_late() -> None:
    async with open_desk() as desk:
        task, word = await desk.claimed(await desk.submitted())
        question = Question(prompt="ok?", timeout=timedelta(seconds=5))
        _, asked = await desk.services.asking.ask(TENANT, word, task.id, question)
        desk.advance(timedelta(seconds=5))
        with pytest.raises(AlreadyAnswered):
            await desk.services.questions.answer(USER, asked.id, text="yes")
        await desk.services.maintenance.sweep()
        assert (await desk.services.questions.get(USER, asked.id)).state is ApprovalState.EXPIRED


async def test_a_question_that_nobody_can_settle_does_not_hold_up_the_reaper() -> None:
    """Others that are due are swept although the first one's swap is always lost."""
    async with open_desk() as desk:
        stuck, word = await desk.claimed(await desk.submitted())
        await desk.services.asking.ask(TENANT, word, stuck.id, Question(prompt="ok?", timeout=timedelta(seconds=1)))
        other, _ = await desk.claimed(await desk.submitted(), worker="w2")
        store = desk.services.backend.tasks
        replace = store.replace

        async def contended(old, new, *rest, **named):  # type: ignore[no-untyped-def]
            if old.id == stuck.id:
                from codetether_core.errors import VersionConflict

                raise VersionConflict("somebody was faster")
            await replace(old, new, *rest, **named)

        store.replace = contended  # type: ignore[method-assign]
        desk.advance(timedelta(seconds=61))
        await desk.services.maintenance.sweep()
        assert (await desk.get(other.id)).lapsed
