"""Lists of tasks: pages that are bounded by bytes, whatever the prompts and results in them.

A page has the rows that were asked for, or as many as fit into 4 MiB of JSON; one row at least. Where more may follow,
``Link: <…>; rel="next"`` has their address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode

from attrs import define, evolve, field
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources.views import task_view
from codetether_adapters.http.responses import Encoded, encode_json
from codetether_core.ids import TaskId
from codetether_core.ports import TaskQuery
from codetether_core.tasks import Task

__all__ = ["Rows", "list_answer", "listed"]

LIST_BYTES: Final = 4 * 1024 * 1024
_STEP: Final = 25
"""How many tasks are in memory at once."""


@define(eq=False)
class Rows:
    """Tasks as JSON, in their order, each once, until they are too many bytes; ``full`` tells that some were left."""

    full: bool = False
    _rows: list[bytes] = field(factory=list)
    _known: set[TaskId] = field(factory=set)
    _size: int = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, tasks: Sequence[Task]) -> int:
        """Take as many of these as fit; of how many that disposes."""
        for done, task in enumerate(tasks):
            if task.id not in self._known:
                row = encode_json(task_view(task))
                if self._rows and self._size + len(row) > LIST_BYTES:
                    self.full = True
                    return done
                self._known.add(task.id)
                self._rows.append(row)
                self._size += len(row)
        return len(tasks)

    @property
    def body(self) -> bytes:
        """The list."""
        return b"[%b]" % b",".join(self._rows)


async def listed(call: Call, query: TaskQuery, first: Sequence[Task] = ()) -> Response:
    """The tasks of a query, read in small steps, those of them that should come ``first`` before the others."""
    rows, looked_at = Rows(), 0
    rows.add(first[: query.limit])
    while len(rows) < query.limit and not rows.full:
        step = min(_STEP, query.limit - len(rows))
        tasks = await call.services.backend.tasks.list(
            call.principal.tenant, evolve(query, limit=step, after=query.after + looked_at)
        )
        looked_at += rows.add(tasks)
        if len(tasks) < step:
            break
    return _answer(call, query, rows, looked_at)


def list_answer(call: Call, query: TaskQuery, tasks: Sequence[Task]) -> Response:
    """Tasks that were found otherwise, those that the query asks for."""
    rows = Rows()
    looked_at = rows.add(tasks[: query.limit])
    return _answer(call, query, rows, looked_at)


def _answer(call: Call, query: TaskQuery, rows: Rows, looked_at: int) -> Response:
    if not rows.full and len(rows) < query.limit:
        return Encoded(rows.body)
    given = parse_qsl(call.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    others = [(name, value) for name, value in given if name != "offset"]
    where = urlencode([*others, ("offset", str(query.after + looked_at))])
    return Encoded(rows.body, headers=[(b"link", f'<?{where}>; rel="next"'.encode())])
