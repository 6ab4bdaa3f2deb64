"""Having agents elsewhere do tasks, and give them up (the port ``Delegate``)."""

from __future__ import annotations

from typing import Final

import httpx
from attrs import frozen

from codetether_adapters.a2a_wire.values import TERMINAL
from codetether_adapters.peers.asking import Asking, Pauses
from codetether_adapters.peers.calls import Calls
from codetether_adapters.peers.errand import Errand
from codetether_adapters.peers.failures import Lost, NotTaken, Refused
from codetether_adapters.peers.reporting import Reporting
from codetether_core.errors import Unavailable
from codetether_core.ports import Clock, Entropy, Holder, Order, RunOutcome
from codetether_core.tasks import Delegation

__all__ = ["Agents"]

_TASK_NOT_FOUND: Final = -32001


@frozen
class Agents:
    """Speaks to them over this transport."""

    transport: httpx.AsyncBaseTransport
    clock: Clock
    entropy: Entropy

    async def run(self, order: Order, holder: Holder) -> RunOutcome:
        """As the port has it."""
        errand = Errand(order=order, holder=holder, asking=self._asking(order), reporting=Reporting(holder))
        return await errand.run()

    async def cancel(self, order: Order, delegation: Delegation) -> bool:
        """An agent that may have the task, and cannot be asked which it is, is not known to have given it up."""
        asking = self._asking(order)
        id = delegation.task
        if id is None and not delegation.tried:
            return True
        if id is None:
            found = await asking.taken(delegation.message, delegation.context)
            if found is None:
                return False
            id = found.id
        try:
            task = await asking.cancel(id)
        except Refused as refusal:
            return refusal.code == _TASK_NOT_FOUND or await self._is_over(asking, id)
        except (NotTaken, Lost) as error:
            raise Unavailable(f"{order.agent} is out of reach: {error}") from None
        return task.status.state in TERMINAL

    async def _is_over(self, asking: Asking, id: str) -> bool:
        """It may have ended before it heard of it."""
        try:
            return (await asking.task(id)).status.state in TERMINAL
        except Refused:
            return False
        except (NotTaken, Lost) as error:
            raise Unavailable(str(error)) from None

    def _asking(self, order: Order) -> Asking:
        return Asking(Calls(self.transport, order.peer, order.credential), Pauses(self.clock, self.entropy))
