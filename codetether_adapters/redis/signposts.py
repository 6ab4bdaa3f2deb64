"""Where a task is kept: where its id says, or where a signpost there says."""

from __future__ import annotations

from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.scripts import POINT
from codetether_core.errors import AlreadyExists
from codetether_core.ids import TaskId
from codetether_core.tasks import Task

__all__ = ["Signposts"]


class Signposts:
    """The signposts of a store. Ids that we make need none."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    def home(self, task: Task) -> int:
        """Where a task whose codebase is known is kept."""
        return self._nodes.layout.of_scope(task.tenant, task.spec.codebase)

    async def put_up(self, task: Task) -> int:
        """Where a new task is to be kept; ``AlreadyExists`` if its id leads elsewhere."""
        layout = self._nodes.layout
        home, looked_for = self.home(task), layout.of_id(task.id)
        if home != looked_for:
            keys = [layout.key(looked_for, name) for name in (f"w:{task.id}", f"t:{task.id}")]
            if not await self._nodes.run(POINT, looked_for, keys, home, durable=True):
                raise AlreadyExists("task", task.id)
        return home

    async def follow(self, id: TaskId) -> int:
        """Where a task of this id is kept, if there is one."""
        layout = self._nodes.layout
        looked_for = layout.of_id(id)
        if layout.shards == 1:
            return looked_for
        home = await self._nodes.call(looked_for, "GET", layout.key(looked_for, f"w:{id}"))
        return looked_for if home is None else int(home)
