"""The README's example does what it shows."""

import threading

import pytest

from codetether_adapters.client import Client, Offer, fresh_key
from codetether_core.approvals import Option
from codetether_core.tasks import OutputChunk
from tests.client.servers import TOKEN
from tests.docs.blocks import blocks

EXAMPLE = blocks("README.md", "python")[1]


def do_the_task(client: Client, codebase: str) -> None:
    """What a worker would do."""
    client.worker.register("readme", "readme", codebases=[codebase])
    notices = client.worker.stream("readme", "readme", codebases=[codebase])
    task = next(notice.task for notice in notices if isinstance(notice, Offer)).id
    notices.close()
    word = "readme", task, client.worker.claim("readme", task, fresh_key()).lease.token
    client.worker.output(*word, [OutputChunk(text="looking …\n")], first=0)
    asked = client.worker.ask(*word, "May I run `make test`?", options=[Option(id="yes", label="Yes")])
    assert client.worker.wait_for(asked.id).allowed
    client.worker.complete(*word, "all green")


def test_the_readme_example(hub_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CODETETHER_SERVER", hub_url)
    monkeypatch.setenv("CODETETHER_TOKEN", TOKEN)
    with Client() as client:
        codebase = client.worker.add_codebase("my-app", "/srv/my-app", worker_id="readme")
        worker = threading.Thread(target=do_the_task, args=(client, codebase.id))
        worker.start()
        exec(compile(EXAMPLE, "README.md", "exec"), {})
        worker.join(10)
    assert capsys.readouterr().out == "looking …\nMay I run `make test`?\nall green\n"


def test_the_example_is_short() -> None:
    assert len(EXAMPLE.strip().splitlines()) <= 20
