"""What a task is elsewhere: another agent was given it, and does it in our place."""

from __future__ import annotations

from attrs import frozen

from codetether_core.ids import AgentName

__all__ = ["Delegation"]


@frozen(kw_only=True)
class Delegation:
    """``message`` is the id of the message that gives the task to the ``agent``, in the conversation ``context``.

    ``task`` is what the agent calls it: ``None`` for as long as it has not told us. Once it was ``tried`` to give it,
    the agent may have taken it or not; before that, nobody has heard of it.
    """

    agent: AgentName
    message: str
    context: str
    task: str | None = None
    tried: bool = False
