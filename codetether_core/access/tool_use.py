"""What an agent wishes to do: one use of a tool, and for whom and where it would be."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from codetether_core.ids import CodebaseId, TenantId, WorkerId

__all__ = ["ToolKind", "ToolRequest", "ToolUse"]


class ToolKind(StrEnum):
    """What a tool does, in the words of the Agent Client Protocol; what is none of these is ``other``."""

    READ = "read"
    EDIT = "edit"
    DELETE = "delete"
    MOVE = "move"
    SEARCH = "search"
    EXECUTE = "execute"
    THINK = "think"
    FETCH = "fetch"
    OTHER = "other"


@frozen(kw_only=True)
class ToolUse:
    """One use of a tool, as its agent declares it: nobody vouches that it will do this and nothing else.

    ``command`` is what would be executed. ``paths`` are the files and folders concerned, absolute or from the checkout.
    """

    name: str
    kind: ToolKind = ToolKind.OTHER
    command: str | None = None
    paths: tuple[str, ...] = ()


@frozen(kw_only=True)
class ToolRequest:
    """A use of a tool in a run.

    ``checkout`` is the codebase's directory (``None`` if it has none), ``agent`` the agent's type, ``principal`` the
    name of who speaks for the ``worker``, ``created_by`` of who submitted the task.
    """

    tenant: TenantId
    codebase: CodebaseId
    checkout: str | None
    agent: str
    worker: WorkerId
    principal: str
    created_by: str
    tool: ToolUse

    @property
    def paths(self) -> tuple[str, ...]:
        """The tool's paths as seen from the checkout, ``.`` for itself: absolute ones are elsewhere.

        By their text alone: where links lead only the worker can see. For the same reason ``..`` stays what it is.
        """
        return tuple(_seen_from(self.checkout, path) for path in self.tool.paths)


def _seen_from(checkout: str | None, path: str) -> str:
    parts = _parts(path)
    if not path.startswith("/"):
        return "/".join(parts) or "."
    root = _parts(checkout or "")
    if checkout is not None and checkout.startswith("/") and parts[: len(root)] == root:
        return "/".join(parts[len(root) :]) or "."
    return "/" + "/".join(parts)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
