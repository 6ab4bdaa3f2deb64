"""Write the contracts that are made from code, or, with ``--check``, say which of them differ from it.

Run by ``make contracts`` and ``make check``. What is written is a reviewed diff: the files are the promise.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from codetether_adapters.opa import shipped_policy
from tests.contracts import api, mcp, transitions
from tests.contracts.examples import EXAMPLES

__all__ = ["MADE", "differing"]

ROOT = Path(__file__).parents[2] / "contracts"

MADE: Mapping[str, Callable[[], str]] = {
    "http/openapi.yaml": api.description,
    "events/task.schema.json": api.task,
    "mcp/tools.json": mcp.tools,
    "policy/agent.rego": lambda: shipped_policy()["agent.rego"],
    "policy/authz.rego": lambda: shipped_policy()["authz.rego"],
    "tasks/transitions.json": transitions.document,
    "tasks/transitions.md": transitions.diagram,
    **EXAMPLES,
}


def differing() -> list[str]:
    """The contract files that are not what the code makes."""
    return [
        name
        for name, make in MADE.items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != make()
    ]


def main(arguments: list[str]) -> int:
    stale = differing()
    if "--check" in arguments:
        for name in stale:
            print(f"contracts/{name} differs from the code; run `make contracts` and review the diff")
        return bool(stale)
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(MADE[name](), encoding="utf-8")
        print(f"wrote contracts/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
