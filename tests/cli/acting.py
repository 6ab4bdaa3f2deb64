"""A worker by hand, for tests of those who watch."""

from secrets import token_hex

from attrs import frozen

from codetether_adapters.client import Client, fresh_key
from codetether_core.tasks import OutputChunk


@frozen
class Actor:
    """Holds one task."""

    client: Client
    worker: str
    task: str
    token: str

    @classmethod
    def take(cls, client: Client, task: str) -> "Actor":
        worker = f"wrk_{token_hex(4)}"
        client.worker.register(worker, worker)
        return cls(client, worker, task, client.worker.claim(worker, task, fresh_key()).lease.token)

    def print(self, *texts: str) -> None:
        self.client.worker.output(self.worker, self.task, self.token, [OutputChunk(text=text) for text in texts])

    def complete(self, result: str = "") -> None:
        self.client.worker.complete(self.worker, self.task, self.token, result)

    def fail(self, error: str) -> None:
        self.client.worker.fail(self.worker, self.task, self.token, error)

    def ask(self, prompt: str) -> str:
        return self.client.worker.ask(self.worker, self.task, self.token, prompt).id
