"""What a run's agent asks is asked once, and answered, refused, or in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from attrs import evolve

from codetether_adapters.client import ApprovalView, AsyncClient, ConnectionFailed
from codetether_apps.holding.verdicts import Ending
from codetether_apps.working.asking import Asking
from codetether_core.access import ToolUse
from codetether_core.approvals import ApprovalKind, ApprovalState, Option
from codetether_core.errors import CodeTetherError, DeniedByPolicy, Invalid, PermissionDenied, StaleLease
from codetether_core.ids import ApprovalId, CodebaseId, TaskId
from codetether_core.ports import Answer, Inquiry
from tests.apps.worker_stage import MovedClock, persistence

pytestmark = pytest.mark.anyio

INQUIRY = Inquiry(
    prompt="May I?",
    kind=ApprovalKind.PERMISSION,
    options=(Option(id="y", label="Yes"), Option(id="n", label="No", allows=False)),
    tool=ToolUse(name="shell", command="ls"),
)


class Words:
    """A server that fails as it is told, then takes the question, fails again, and has the answer."""

    def __init__(self, *failures: CodeTetherError, waiting: tuple[CodeTetherError, ...] = ()) -> None:
        self.worker = self
        self.asked: list[tuple[Any, ...]] = []
        self._failures, self._waiting = list(failures), list(waiting)

    async def ask(
        self, worker: str, task: str, lease: str, prompt: str, *, kind: Any, options: Any, tool: Any, key: str
    ) -> ApprovalView:
        """The question."""
        self.asked.append((worker, task, lease, prompt, kind, options, tool, key))
        if self._failures:
            raise self._failures.pop(0)
        return approval(ApprovalState.OPEN)

    async def wait_for(self, id: str) -> ApprovalView:
        """The answer."""
        assert id == "apr_1"
        if self._waiting:
            raise self._waiting.pop(0)
        return evolve(approval(ApprovalState.ANSWERED), choice="y", text="this once")


def approval(state: ApprovalState) -> ApprovalView:
    """The question as the server has it."""
    return ApprovalView(
        id=ApprovalId("apr_1"),
        task_id=TaskId("tsk_1"),
        codebase_id=CodebaseId("cb_1"),
        kind=ApprovalKind.PERMISSION,
        prompt="May I?",
        status=state,
    )


def unexpected(ending: Ending) -> None:
    """Nobody wants this run to end."""
    raise AssertionError(ending)


def asking(words: Words, end: Callable[[Ending], None] = unexpected) -> Asking:
    """A run's questions to this server."""
    return Asking(
        worker_id="w",
        task="tsk_1",
        lease="1.n",
        client=cast("AsyncClient", words),
        persistence=persistence(MovedClock()),
        clean=lambda inquiry: evolve(inquiry, prompt=inquiry.prompt.replace("hush", "[secret]")),
        end=end,
    )


async def test_a_question_is_asked_once_whatever_is_lost_on_the_way() -> None:
    """The key is the same in all tries; a denial that is no policy's may pass, such as that of a token renewed late."""
    cut = ConnectionFailed("cut")
    words = Words(cut, PermissionDenied("not now"), waiting=(cut, cut))
    answer = await asking(words).ask(evolve(INQUIRY, prompt="May I read hush?"))
    assert answer == Answer(question="May I read [secret]?", choice="y", text="this once")
    assert len(words.asked) == 3
    (asked,) = set(words.asked)
    assert asked[:-1] == ("w", "tsk_1", "1.n", answer.question, INQUIRY.kind, INQUIRY.options, INQUIRY.tool)
    assert len(asked[-1]) >= 16


async def test_two_questions_are_two() -> None:
    words = Words()
    mine = asking(words)
    await asyncio.gather(mine.ask(INQUIRY), mine.ask(INQUIRY))
    assert len({key for *_, key in words.asked}) == 2


@pytest.mark.parametrize("refusal", [DeniedByPolicy("git_internals", "no"), Invalid("options", "must differ")])
async def test_what_the_server_says_of_the_question_is_raised(refusal: CodeTetherError) -> None:
    """It would say so again."""
    words = Words(refusal)
    with pytest.raises(type(refusal)):
        await asking(words).ask(INQUIRY)
    assert len(words.asked) == 1


@pytest.mark.parametrize(
    ("refusal", "ending"),
    [
        (StaleLease("no", state="cancelled"), Ending.CANCELLED),
        (StaleLease("no", state="running"), Ending.SUPERSEDED),
    ],
)
async def test_a_run_that_no_longer_counts_is_ended_and_its_agent_never_answered(
    refusal: CodeTetherError, ending: Ending
) -> None:
    ended: asyncio.Queue[Ending] = asyncio.Queue()
    asked = asyncio.ensure_future(asking(Words(refusal), ended.put_nowait).ask(INQUIRY))
    assert await ended.get() is ending
    assert not asked.done()
    asked.cancel()
    await asyncio.wait({asked})
    assert asked.cancelled()
