"""The tools, in the order in which they are listed."""

from __future__ import annotations

from typing import Final

from codetether_adapters.mcp.tool import Tool
from codetether_adapters.mcp.tools.agents import LIST_AGENTS, SEND_MESSAGE
from codetether_adapters.mcp.tools.answering import ANSWER_TASK
from codetether_adapters.mcp.tools.codebases import GET_CODEBASE, LIST_CODEBASES, REGISTER_CODEBASE
from codetether_adapters.mcp.tools.output import GET_TASK_OUTPUT
from codetether_adapters.mcp.tools.sessions import GET_SESSION_MESSAGES, LIST_SESSIONS
from codetether_adapters.mcp.tools.submitting import CANCEL_TASK, CREATE_TASK
from codetether_adapters.mcp.tools.tasks import GET_TASK, LIST_TASKS
from codetether_adapters.mcp.tools.waiting import WAIT_TASK

__all__ = ["TOOLS"]

TOOLS: Final[tuple[Tool, ...]] = (
    LIST_CODEBASES,
    GET_CODEBASE,
    REGISTER_CODEBASE,
    CREATE_TASK,
    WAIT_TASK,
    GET_TASK,
    LIST_TASKS,
    GET_TASK_OUTPUT,
    ANSWER_TASK,
    CANCEL_TASK,
    LIST_SESSIONS,
    GET_SESSION_MESSAGES,
    LIST_AGENTS,
    SEND_MESSAGE,
)
