"""The contracts that are made from code are the ones that are promised."""

from __future__ import annotations

from tests.contracts.generate import differing


def test_no_contract_differs_from_the_code() -> None:
    assert differing() == [], "run `make contracts` and review the diff"
