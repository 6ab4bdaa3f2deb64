"""The demonstration, told as it goes."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from codetether_adapters.client import Client, ConnectionFailed, Patience
from codetether_apps.demo.checkout import find_or_make
from codetether_apps.demo.processes import free_port, running
from codetether_core.errors import CodeTetherError

T = TypeVar("T")

_SERVER: Final = "codetether_apps.server"
_WORKER: Final = "codetether_apps.worker"
_PATIENCE: Final = 20.0

_SURVEY: Final = """\
read -r word
echo "The last commits:"
git log --oneline -n 4
echo "What the files are:"
git ls-files | sed -n 's/.*[.]//p' | sort | uniq -c | sort -rn | head -n 4
echo "Where '$word' is said, of $(git grep -I -e "$word" | wc -l | tr -d ' ') lines:"
git grep -I -n -e "$word" | head -n 4 | cut -c 1-110
"""


def main() -> int:
    """Tell the story; the exit code."""
    with tempfile.TemporaryDirectory(prefix="codetether-demo-") as place:
        directory, log = Path(place), Path(place, "log")
        try:
            _tell(directory, log)
        except (CodeTetherError, TimeoutError) as error:
            print(f"The demo failed: {error}\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


def _tell(directory: Path, log: Path) -> None:
    port, token = free_port(), secrets.token_urlsafe(24)
    (directory / "checkout").mkdir()
    checkout = find_or_make(directory / "checkout")
    (directory / "survey.sh").write_text(_SURVEY)
    (directory / "codetether.toml").write_text(
        f'[agents.survey]\ncommand = ["sh", "{directory}/survey.sh"]\nprompt = "stdin"\n'
    )
    environment = _environment(directory, port, token)
    say = _Narrator()
    client = Client(f"http://127.0.0.1:{port}", token=token, patience=Patience(attempts=1))
    with client, running(_SERVER, environment=environment, log=log) as server:
        _until(client.health)
        say(f"A server on port {port}, with its store in {directory}")
        with running(_WORKER, "--codebase", f"demo:{checkout}", environment=environment, log=log) as worker:
            codebase = _until(client.codebases.list)[0]
            say(f"A worker has registered the git checkout {checkout}")
            task = client.tasks.run("async def", title="Survey the code", codebase=codebase.id, agent="survey")
            say(f"Task {task.id} is submitted; this is its output as it comes:")
            shown = ""
            for text in task.output():
                shown += text
                print("    " + text.rstrip("\n").replace("\n", "\n    "), flush=True)
            result = task.result()
            say("The task is completed. Now the server is killed (kill -9) and started again")
            server.kill()
            server.wait()
            with running(_SERVER, environment=environment, log=log):
                kept = _until(partial(client.tasks.handle, task.id))
                again = "".join(kept.output())
                if (kept.result(), again) != (result, shown):
                    raise TimeoutError("what was stored is not what was seen")
                say(f"It still has the result and all {len(again.splitlines())} lines of output")
                worker.terminate()  # while it has somebody to sign off from
                worker.wait()
    say("Everything is stopped and removed. Next: .venv/bin/codetether up --codebase PATH")


def _until(word: Callable[[], T]) -> T:
    """What the server says once it answers with something."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if answer := word():
                return answer
        except ConnectionFailed:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing happened for {_PATIENCE:.0f} seconds")
        time.sleep(0.02)


class _Narrator:
    """Prints what happens, and after how long."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, words: str) -> None:
        print(f"[{time.monotonic() - self._started:4.1f} s] {words}", flush=True)


def _environment(directory: Path, port: int, token: str) -> Mapping[str, str]:
    """Settings of both processes; nothing of this machine's own counts."""
    return {
        **{name: "" for name in os.environ if name.startswith(("CODETETHER_", "A2A_")) or name == "DATABASE_URL"},
        "CODETETHER_CONFIG": str(directory / "codetether.toml"),
        "CODETETHER_DATA_DIR": str(directory / "data"),
        "CODETETHER_PORT": str(port),
        "CODETETHER_SERVER": f"http://127.0.0.1:{port}",
        "CODETETHER_TOKENS": f"demo:{token}:admin",
        "CODETETHER_TOKEN": token,
    }


if __name__ == "__main__":
    sys.exit(main())
