"""``A2A_TCK=/path/to/checkout python -m tests.a2a.tck``: run the kit of either release; more arguments are pytest's."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.a2a.clients import NotInstalled, kit_python
from tests.a2a.tck.sut import serving
from tests.a2a.tck.verdict import known_failures, verdict_of

_PATIENCE: Final = 900


@frozen
class Kit:
    """How a release's kit is run: ``runs`` are pytest's arguments for each of its categories that count."""

    runs: tuple[tuple[str, ...], ...]
    server: str
    options: tuple[str, ...]


_KITS: Final[Mapping[str, Kit]] = {
    "1.0": Kit((("tests/compatibility",),), "--sut-host", ("--transport=jsonrpc,http_json",)),
    "0.3": Kit(
        (("tests/mandatory", "-m", "mandatory_jsonrpc or mandatory_protocol"), ("tests/optional/capabilities",)),
        "--sut-url",
        ("--test-scope=all", "--transport-strategy=agent_preferred"),
    ),
}


def main(more: Sequence[str]) -> int:
    """The exit code."""
    checkout = Path(os.environ.get("A2A_TCK") or "/nonexistent").absolute()
    release = next((name for name, kit in _KITS.items() if (checkout / kit.runs[0][0]).is_dir()), None)
    if release is None:
        print("Set A2A_TCK to a checkout of a2aproject/a2a-tck: its branch 1.0-dev, or 0.3.x", file=sys.stderr)
        return 2
    try:
        python = kit_python(checkout)
    except NotInstalled as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as place, serving(Path(place), release) as url:
        reports = [_run(python, checkout, _KITS[release], run, url, [*more]) for run in _KITS[release].runs]
        verdict = verdict_of(reports, known_failures(release))
    print(verdict)
    return 0 if verdict.good else 1


def _run(python: Path, checkout: Path, kit: Kit, run: Sequence[str], url: str, more: Sequence[str]) -> str:
    """The report of a category's tests, which are run in the checkout, where nothing is left."""
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=short", *run]
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        subprocess.run(
            [*command, f"{kit.server}={url}", *kit.options, f"--junitxml={report.name}", *more],
            cwd=checkout,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", ""), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
        return Path(report.name).read_text()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
