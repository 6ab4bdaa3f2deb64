"""One run's conversation with its agent, from the first word to the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, Final

import anyio
from attrs import define, field

from codetether_adapters.agents.acp.asking import Requests
from codetether_adapters.agents.acp.connection import connected
from codetether_adapters.agents.acp.fitting import event
from codetether_adapters.agents.acp.lines import Lines
from codetether_adapters.agents.acp.opening import Agent, Place, Session, initialized, resumed, started
from codetether_adapters.agents.acp.patience import Patience
from codetether_adapters.agents.acp.speaking import AgentGone, AgentRefused, Speaking
from codetether_adapters.agents.acp.telling import Telling
from codetether_adapters.agents.acp.template import AcpTemplate
from codetether_adapters.agents.acp.updates import Updates
from codetether_adapters.agents.chunks import pieces
from codetether_adapters.agents.process import AgentProcess
from codetether_adapters.agents.relaying import first_failure
from codetether_core.ids import SessionId
from codetether_core.ports import Ask, Emit, Run, RunFailed, RunOutcome
from codetether_core.tasks import OutputChunk

__all__ = ["Conversation"]

_LIMITS: Final = ("max_tokens", "max_turn_requests")


@define(eq=False, kw_only=True)
class Conversation:
    """With ``agent``, in ``place``. A cancelled one is ended with good words, for ``politeness`` at most.

    Agents may tell what a prompt has used only after its end: ``afterthought`` is the time they have for that. Once it
    is ``prompted``, that it failed may be an accident.
    """

    agent: AgentProcess
    template: AcpTemplate
    run: Run
    place: Place
    emit: Emit
    ask: Ask
    politeness: timedelta
    afterthought: timedelta
    lines: Lines = field(init=False)
    prompted: bool = field(default=False, init=False)
    _updates: Updates = field(factory=Updates, init=False)
    _telling: Telling = field(init=False)
    _patience: Patience = field(init=False)
    _requests: Requests = field(init=False)
    _replaying: bool = field(default=False, init=False)
    _counted: anyio.Event = field(factory=anyio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self._telling = Telling(self.emit)
        self._patience = Patience(self.template.idle_timeout)
        self._requests = Requests(self.ask, self._updates.tools, self._patience)
        self.lines = Lines(self.agent, self._hear, self._noise)

    async def hold(self) -> RunOutcome:
        """Until the agent has done what the run is for and all of it is told.

        ``RunFailed``; ``AgentGone`` and ``AgentRefused`` as they come.
        """
        async with self._connected() as speaking:
            return await self._converse(speaking)

    async def meet(self) -> Agent:
        """Hear what the agent is and nothing more; fails as ``hold`` does."""
        async with self._connected() as speaking:
            with self._initializing():
                return await initialized(speaking)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Speaking]:
        """Speak with it; what it has said is told by the end, unless we are cancelled."""
        try:
            async with connected(self.lines, self._requests.answer) as speaking, anyio.create_task_group() as beside:
                beside.start_soon(self._telling.run)
                try:
                    yield speaking
                except (AgentGone, AgentRefused, RunFailed):
                    await self._telling.finish()
                    raise
                await self._telling.finish()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None
        finally:
            self._telling.abandon()

    @contextmanager
    def _initializing(self) -> Iterator[None]:
        limit = self.template.initialize_timeout
        try:
            with anyio.fail_after(limit.total_seconds()):
                yield
        except TimeoutError:
            raise RunFailed(f"The agent was not ready after {limit}", "agent_not_ready") from None

    async def _converse(self, speaking: Speaking) -> RunOutcome:
        with self._initializing():
            agent = await initialized(speaking)
            session, lost = await self._session(speaking, agent)
            await self._choose_model(speaking, session)
        stop = await self._prompted(speaking, agent, session)
        if session.resumed and (stop == "refusal" or not self._updates.said):
            with self._initializing():
                session, lost = await self._anew(speaking, agent), True
                await self._choose_model(speaking, session)
            stop = await self._prompted(speaking, agent, session)
        if stop == "end_turn":
            reason = "session_lost" if lost else None
            return RunOutcome(result=self._updates.result, session=session.id, reason=reason)
        raise _stopped(stop, self._updates.result)

    @property
    def _wanted(self) -> SessionId | None:
        return self.run.session or self.run.begun

    async def _session(self, speaking: Speaking, agent: Agent) -> tuple[Session, bool]:
        """The session to go on with, and whether it takes the place of a lost one."""
        if (wanted := self._wanted) is None:
            return await self._begun(await started(speaking, agent, self.place)), False
        self._replaying = not agent.resumes  # all that was said before is told again
        session = await resumed(speaking, agent, wanted, self.place)
        if session is None:
            return await self._anew(speaking, agent), True
        return await self._begun(session), False

    async def _anew(self, speaking: Speaking, agent: Agent) -> Session:
        """Another session in the place of one that the agent does not have, which is said."""
        self._replaying = False
        await self._telling.tell([event("session_lost", {"sessionId": self._wanted}, stream="agent")])
        return await self._begun(await started(speaking, agent, self.place))

    async def _begun(self, session: Session) -> Session:
        await self._telling.tell([event("session", {"sessionId": session.id}, stream="agent")])
        return session

    async def _choose_model(self, speaking: Speaking, session: Session) -> None:
        """Have it work with the task's model, unless its command line says so already."""
        model = self.run.model
        if not model or self.template.model is not None:
            return
        option = next((id for id, values in session.models.items() if model in values), None)
        if option is None:
            offered = ", ".join(sorted({each for values in session.models.values() for each in values})) or "none"
            raise RunFailed(
                f"The agent {self.template.name!r} offers no model {model!r}; it offers {offered}; or say how it is "
                f'told under [agents.{self.template.name}], such as model = ["--model", "{{model}}"]',
                "model_not_supported",
            )
        params = {"sessionId": session.id, "configId": option, "value": model}
        await speaking.request("session/set_config_option", params)

    async def _prompted(self, speaking: Speaking, agent: Agent, session: Session) -> object:
        """Give it the prompt and wait for the reason for which it stops."""
        self._replaying = False
        self.prompted = True
        self._updates.listen()
        self._counted = anyio.Event()
        prompt = [{"type": "text", "text": self.run.prompt or self.run.title}]
        with self._patience.begin():
            answer = await self._turn(speaking, agent, session, {"sessionId": session.id, "prompt": prompt})
            usage = answer.get("usage")
            if isinstance(usage, Mapping):
                await self._telling.tell([event("usage", usage, stream="agent")])
            else:
                with anyio.move_on_after(self.afterthought.total_seconds()):
                    await self._counted.wait()
            return answer.get("stopReason")
        raise RunFailed(f"The agent was silent for {self.template.idle_timeout}", "agent_idle")

    async def _turn(
        self, speaking: Speaking, agent: Agent, session: Session, params: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The answer to the prompt; if we are cancelled meanwhile, so is the agent, which may still answer."""
        turn = asyncio.ensure_future(speaking.request("session/prompt", params))
        try:
            return await asyncio.shield(turn)
        except asyncio.CancelledError:
            with anyio.move_on_after(self.politeness.total_seconds(), shield=True):
                await self._take_leave(speaking, agent, session, turn)
            raise
        finally:
            turn.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.gather(turn, return_exceptions=True)

    async def _take_leave(
        self, speaking: Speaking, agent: Agent, session: Session, turn: asyncio.Future[Mapping[str, Any]]
    ) -> None:
        """Answer what it asks, have it stop, and close the session. Whoever started it ends it in any case."""
        self._telling.close()
        self._requests.cancel()
        await self.lines.all_answered()
        try:
            await speaking.notify("session/cancel", {"sessionId": session.id})
            await asyncio.wait({turn})
            if agent.closes:
                await speaking.request("session/close", {"sessionId": session.id})
        except (AgentGone, AgentRefused):
            return

    async def _hear(self, message: Mapping[str, Any]) -> None:
        """A notification, in its turn."""
        self._patience.heard()
        params = message.get("params")
        if message["method"] != "session/update":
            chunks = [event("raw", {"method": message["method"], "params": params}, stream="agent")]
        else:
            chunks = self._updates.feed(params.get("update") if isinstance(params, Mapping) else params)
        if not self._replaying:
            with self._patience.excused():
                await self._telling.tell(chunks)
        if self._updates.counted:
            self._counted.set()

    async def _noise(self, line: bytes) -> None:
        """What is printed beside the protocol is for whoever looks for the reason of something."""
        text = line.decode("utf-8", "replace").replace("\0", "\u2400")
        with self._patience.excused():
            await self._telling.tell(OutputChunk(text=each, stream="stderr") for each in pieces(text))


def _stopped(stop: object, words: str) -> RunFailed:
    """Why a run failed whose agent stopped before its end."""
    said = f": {words}" if words else ""
    if stop == "refusal":
        return RunFailed(f"The agent refused to go on{said}", "agent_refused")
    if stop in _LIMITS:
        return RunFailed(f"The agent came to its limit ({stop}){said}", "iteration_limit")
    if stop == "cancelled":
        return RunFailed(f"The agent was told to stop{said}", "agent_cancelled")
    return RunFailed(f"The agent stopped for a reason that is not known here, {stop!r}{said}", "agent_error")
