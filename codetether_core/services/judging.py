"""Having the policy judge what an agent wishes to do."""

from __future__ import annotations

from attrs import frozen

from codetether_core.access import ToolRequest, ToolUse, Verdict
from codetether_core.errors import NotFound
from codetether_core.ports import AgentPolicy, CodebaseStore
from codetether_core.tasks import Task, Word

__all__ = ["Judging"]


@frozen
class Judging:
    """Tells the policy whose run it is, and where."""

    policy: AgentPolicy
    codebases: CodebaseStore

    async def verdict(self, task: Task, word: Word, tool: ToolUse) -> Verdict:
        """What the policy says to it; ``tool`` has no registered secret in it any more."""
        return await self.policy.judge(
            ToolRequest(
                tenant=task.tenant,
                codebase=task.spec.codebase,
                checkout=await self._checkout(task),
                agent=task.spec.agent_type,
                worker=task.grant.worker if task.grant else word.worker,
                principal=word.principal,
                created_by=task.created_by,
                tool=tool,
            )
        )

    async def _checkout(self, task: Task) -> str | None:
        try:
            return (await self.codebases.get(task.tenant, task.spec.codebase)).path
        except NotFound:  # it was removed, or the task is of no codebase
            return None
