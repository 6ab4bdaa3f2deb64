"""The request headers that handlers read, for the documentation."""

from __future__ import annotations

from typing import Final

from codetether_adapters.http.routing import Header

__all__ = ["ASK_KEY", "CLAIM_KEY", "HOLDER", "LAST_EVENT_ID", "STREAMING_WORKER", "SUBMIT_KEY", "WORKER_ID"]

SUBMIT_KEY: Final = Header(
    "Idempotency-Key",
    "The same key and body again give the first task; the same key and another body are a conflict (409).",
)
CLAIM_KEY: Final = Header(
    "Idempotency-Key", "16 characters or more, made by chance: the same claim again gives the same grant."
)
ASK_KEY: Final = Header("Idempotency-Key", "Sent again under the same grant, it is the same question.")
LAST_EVENT_ID: Final = Header("Last-Event-ID", "A cursor that this server gave as the id of an event: go on after it.")
WORKER_ID: Final = Header("X-Worker-ID", "The worker that speaks, unless the body says so.")
HOLDER: Final = (WORKER_ID, Header("X-Lease-Token", "The lease under which it speaks, unless the body says so."))
STREAMING_WORKER: Final = (
    Header("X-Worker-ID", "The worker's id, unless the query says so; one is made up for a worker without."),
    Header("X-Agent-Name", "The worker's name, unless the query says so; required in one of the two places."),
    Header("X-Codebases", "The ids of the codebases that it serves, with commas between."),
    Header("X-Workspaces", "Another name of X-Codebases; both count."),
    Header("X-Capabilities", "What it is capable of, with commas between."),
    Header("X-Agents", "The agent types that it runs, with commas between; any, if it does not say."),
    Header("X-Slots", "How many tasks it runs at a time, 1 to 1000; 2, if it does not say."),
    Header("X-Worker-Events", "Which of the events cancel and drain it understands, with a comma between."),
)
