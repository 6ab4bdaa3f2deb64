"""How a run of the compatibility kit is judged; the kit itself is on no registry, and ``make tck`` runs it."""

from __future__ import annotations

from tests.a2a.tck.verdict import known_failures, verdict_of

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="idle"><skipped/></testcase>
<testcase classname="a" name="bad"><failure/></testcase>
<testcase classname="a" name="broken"><error/></testcase>
</testsuite></testsuites>"""


def test_what_fails_is_known_or_told() -> None:
    verdict = verdict_of([REPORT], {"a::bad": "it is wrong", "a::good": "it was wrong"})
    assert (verdict.passed, verdict.skipped) == (1, 1)
    assert (verdict.failed, verdict.mended) == (("a::broken",), ("a::good",))
    assert not verdict.good
    assert "FAILED a::broken" in str(verdict) and "it is wrong" in str(verdict)


def test_a_run_is_good_whose_failures_are_all_known() -> None:
    known = {"a::bad": "it is wrong", "a::broken": "so is it"}
    assert verdict_of([REPORT], known).good
    assert not verdict_of(["<testsuites/>"], {}).good, "nothing was run"


def test_every_known_failure_has_its_reason() -> None:
    assert not known_failures("0.3")
    assert all(len(reason) > 20 for reason in known_failures("1.0").values())
