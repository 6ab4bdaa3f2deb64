"""Python functions as agents.

>>> worker = Worker(AsyncClient(), name="reviewer")
>>> @worker.agent("review")
... async def review(run: AgentRun) -> str:
...     await run.emit("reading …\\n")
...     return f"looks good: {run.task.prompt}"
>>> anyio.run(worker.run)

The worker claims tasks of the types it has functions for, keeps their leases, sends what they emit, and reports what
they return or raise. A cancelled task cancels its function.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from math import inf
from secrets import token_hex
from typing import Final

import anyio
from anyio.abc import TaskGroup

from codetether_adapters.client.client import AsyncClient
from codetether_adapters.client.errors import ConnectionFailed, ServerFailed
from codetether_adapters.client.held_run import AgentFunction, AgentRun, HeldRun
from codetether_adapters.client.patience import Patience
from codetether_adapters.client.requests import fresh_key
from codetether_adapters.client.views import TaskView
from codetether_adapters.client.worker_notices import CancelNotice, Offer
from codetether_core.errors import CodeTetherError, Conflict, NotFound, Unavailable

__all__ = ["AgentFunction", "AgentRun", "Worker"]

_log = logging.getLogger(__name__)

_LEAVING: Final = 5.0
_OFFERS_KEPT: Final = 100
_LATER: Final = (ConnectionFailed, ServerFailed, Unavailable)


class Worker:
    """A worker whose agents are functions. ``codebases`` are ids that it serves besides tasks of no codebase."""

    def __init__(
        self,
        client: AsyncClient,
        *,
        name: str = "",
        worker_id: str = "",
        codebases: Sequence[str] = (),
        capabilities: Sequence[str] = (),
        slots: int = 2,
        patience: Patience | None = None,
    ) -> None:
        self.name = name or socket.gethostname()
        self.worker_id = worker_id or f"wrk_{token_hex(12)}"
        self._protocol = client.worker
        self._codebases = tuple(codebases)
        self._capabilities = tuple(capabilities)
        self._slots = slots
        self._patience = patience or Patience()
        self._functions: dict[str, AgentFunction] = {}
        self._offered: dict[str, TaskView] = {}
        self._runs: dict[str, HeldRun | None] = {}

    def agent(self, name: str) -> Callable[[AgentFunction], AgentFunction]:
        """Have tasks with this ``agent_type`` done by the function below."""

        def decorate(function: AgentFunction) -> AgentFunction:
            self._functions[name] = function
            return function

        return decorate

    async def run(self) -> None:
        """Work until cancelled; then give back what is unfinished and sign off.

        A refusal that no waiting will mend, such as ``Unauthenticated``, is raised.
        """
        refusal: CodeTetherError | None = None
        try:
            async with anyio.create_task_group() as runs:
                try:
                    await self._stay_connected(runs)
                except CodeTetherError as error:
                    refusal = error
                    runs.cancel_scope.cancel()
        finally:
            with anyio.move_on_after(_LEAVING, shield=True):
                await self._sign_off()
        if refusal is not None:
            raise refusal

    async def _stay_connected(self, runs: TaskGroup) -> None:
        failures = 0
        while True:
            try:
                await self._register()
                failures = 0
                await self._listen(runs)
            except _LATER:
                pass
            failures += 1
            await anyio.sleep(self._patience.pause(failures))

    async def _register(self) -> None:
        await self._protocol.register(
            self.worker_id,
            self.name,
            agents=tuple(self._functions),
            codebases=self._codebases,
            capabilities=self._capabilities,
            hostname=socket.gethostname(),
            slots=self._slots,
        )

    async def _listen(self, runs: TaskGroup) -> None:
        """Follow one stream to its end."""
        stream = self._protocol.stream(
            self.worker_id,
            self.name,
            agents=tuple(self._functions),
            codebases=self._codebases,
            capabilities=self._capabilities,
            slots=self._slots,
        )
        async with aclosing(stream) as notices:
            async for notice in notices:
                match notice:
                    case Offer(task) if task.agent_type in self._functions:
                        self._offered[task.id] = task
                        self._fill(runs)
                    case CancelNotice(id) if run := self._runs.get(id):
                        run.cancel()
                    case _:
                        pass

    def _fill(self, runs: TaskGroup) -> None:
        """Begin as many of the offered tasks as there are free slots, the best first.

        The server knows of a free slot before we do: it offers the next task while the last takes its leave.
        """
        for task in sorted(self._offered.values(), key=lambda task: -task.priority):
            if len(self._runs) >= self._slots:
                break
            if task.id not in self._runs:
                del self._offered[task.id]
                self._runs[task.id] = None
                runs.start_soon(self._take, task, runs)
        while len(self._offered) > _OFFERS_KEPT:
            del self._offered[next(iter(self._offered))]

    async def _take(self, task: TaskView, runs: TaskGroup) -> None:
        """Claim the task and do it. Whatever becomes of it, other runs go on."""
        try:
            claimed = await self._protocol.claim(self.worker_id, task.id, fresh_key())
            run = self._runs[task.id] = HeldRun(self._protocol, self.worker_id, claimed)
            await run.execute(self._functions[task.agent_type])
        except (Conflict, NotFound, *_LATER):
            pass  # somebody else has it, or nobody hears us: it will be offered again
        except Exception:
            _log.exception("the run of %s was lost; its lease runs out by itself", task.id)
        except anyio.get_cancelled_exc_class():
            if anyio.current_effective_deadline() == -inf:
                self._offered.clear()  # we leave: what we did not begin is for others
                raise
            # else the function had this very asyncio task cancelled, which no scope takes back: the run has told of it
        finally:
            del self._runs[task.id]
            self._fill(runs)

    async def _sign_off(self) -> None:
        with suppress(CodeTetherError):  # it will be missed soon enough
            await self._protocol.unregister(self.worker_id)
