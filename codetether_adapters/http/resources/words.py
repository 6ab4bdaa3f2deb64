"""How a holder presents itself over HTTP: who it is, and the lease that it holds."""

from __future__ import annotations

from attrs import frozen

from codetether_adapters.http.call import Call
from codetether_core.errors import Invalid
from codetether_core.ids import WorkerId
from codetether_core.tasks import Word

__all__ = ["Speaker", "word_of", "worker_of"]


@frozen
class Speaker:
    """The worker that speaks, unless the body or ``X-Worker-ID`` says so."""

    worker_id: str | None = None


def worker_of(call: Call, said: str | None = None) -> WorkerId:
    """The worker that speaks: by what its body said, else ``X-Worker-ID``, else ``?worker_id=``."""
    worker = said or call.headers.get("x-worker-id") or call.query(Speaker).worker_id
    if not worker:
        raise Invalid("worker_id", "is required: in the body, as X-Worker-ID or in the query")
    return WorkerId(worker)


def word_of(call: Call, worker: str | None = None, token: str | None = None) -> Word:
    """The word's credentials; the lease token comes in the body, else as ``X-Lease-Token``."""
    token = token or call.headers.get("x-lease-token") or None
    return Word(worker=worker_of(call, worker), principal=call.principal.name, token=token)
