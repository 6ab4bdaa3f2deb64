"""Topics: where an event belongs, and what a reader asks for.

An event belongs to one (tenant, scope, subject): the scope is a codebase id or a fixed word, the subject a task,
an agent, a worker. A reader names as many of the three as it likes, from the left; what it leaves out matches all.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from codetether_core.ids import AgentName, CodebaseId, SessionId, TaskId, TenantId, WorkerId

__all__ = ["AGENTS", "AUDIT", "CODEBASES", "CREDENTIALS", "READY", "WORKERS", "Topic"]

AGENTS: Final = "agents"
AUDIT: Final = "audit"
"""The scope of what a store puts in its audit trail, in place of the log; nobody is woken."""

CODEBASES: Final = "codebases"
CREDENTIALS: Final = "credentials"
WORKERS: Final = "workers"
READY: Final = "ready"
"""The scope that a task store wakes (no event is written) when a task of that tenant became ready to claim."""


@frozen(cache_hash=True)
class Topic:
    """A place in the log; empty ``scope`` or ``subject`` means all of them."""

    tenant: TenantId
    scope: str = ""
    subject: str = ""

    @classmethod
    def task(cls, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Topic:
        """One task's own events."""
        return cls(tenant, codebase, task)

    @classmethod
    def session(cls, tenant: TenantId, codebase: CodebaseId, session: SessionId) -> Topic:
        """One session's own events; a session may go by the id of its task, whose events it must not be among."""
        return cls(tenant, codebase, f"session/{session}")

    @classmethod
    def webhooks(cls, tenant: TenantId, codebase: CodebaseId, task: TaskId) -> Topic:
        """What becomes of a task's webhooks."""
        return cls(tenant, codebase, f"webhooks/{task}")

    @classmethod
    def codebase(cls, tenant: TenantId, codebase: CodebaseId) -> Topic:
        """Every event of a codebase's tasks and sessions."""
        return cls(tenant, codebase)

    @classmethod
    def agent(cls, tenant: TenantId, agent: AgentName) -> Topic:
        """Messages to one agent."""
        return cls(tenant, AGENTS, agent)

    @classmethod
    def worker(cls, tenant: TenantId, worker: WorkerId) -> Topic:
        """One worker's comings and goings."""
        return cls(tenant, WORKERS, worker)

    def covers(self, other: Topic) -> bool:
        """Whether a reader of this topic sees events of ``other``."""
        return self.tenant == other.tenant and self.scope in ("", other.scope) and self.subject in ("", other.subject)

    def widening(self) -> tuple[Topic, ...]:
        """This topic and every wider one whose readers see its events."""
        return (self, Topic(self.tenant, self.scope), Topic(self.tenant))
