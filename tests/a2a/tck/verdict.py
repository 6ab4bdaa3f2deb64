"""What a run of the kit comes to: which of its tests failed, against those that are known to be wrong themselves."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from attrs import frozen

__all__ = ["Verdict", "known_failures", "verdict_of"]

_KNOWN: Final = Path(__file__).parent / "expected_failures.toml"


@frozen(kw_only=True)
class Verdict:
    """``failed`` without being known, and ``mended``: known to fail, and did not."""

    passed: int
    skipped: int
    known: Mapping[str, str]
    failed: tuple[str, ...]
    mended: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether it went as it should."""
        return bool(self.passed) and not self.failed and not self.mended

    def __str__(self) -> str:
        told = [f"{self.passed} passed, {self.skipped} skipped"]
        told += [f"expected failure: {name}\n    {reason}" for name, reason in self.known.items()]
        told += [f"FAILED {name}" for name in self.failed]
        told += [f"NO FAILURE any more, strike it off {_KNOWN.name}: {name}" for name in self.mended]
        return "\n".join(told)


def known_failures(release: str) -> Mapping[str, str]:
    """Tests of the kit that no right server passes, with the reasons."""
    known: Mapping[str, str] = tomllib.loads(_KNOWN.read_text())[release]
    return known


def verdict_of(reports: Sequence[str], known: Mapping[str, str]) -> Verdict:
    """What reports in JUnit's XML say; a test that broke down has failed too. ``ParseError`` where one is none."""
    passed = skipped = 0
    failed: list[str] = []
    for case in (case for report in reports for case in ElementTree.fromstring(report).iter("testcase")):
        kinds = {each.tag for each in case}
        name = f"{case.get('classname')}::{case.get('name')}"
        if kinds & {"failure", "error"}:
            failed.append(name)
        elif "skipped" in kinds:
            skipped += 1
        else:
            passed += 1
    return Verdict(
        passed=passed,
        skipped=skipped,
        known={name: reason for name, reason in known.items() if name in failed},
        failed=tuple(name for name in failed if name not in known),
        mended=tuple(name for name in known if name not in failed),
    )
