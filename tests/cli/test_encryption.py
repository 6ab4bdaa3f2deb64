"""``codetether encryption``."""

from __future__ import annotations

import json
import re

import pytest

from codetether_adapters.client import Client
from tests.cli.conftest import Run


def test_keys_are_shown_and_rotated(client: Client, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = client.encryption.state()
    assert run("encryption", "rotate", "--data-key") == 0
    out = capsys.readouterr().out
    added = client.encryption.state().data_key
    assert f"0 data keys came under {before.key}\n{added} encrypts from now on\n" == out
    assert run("encryption", "rotate", "--all-tenants") == 0
    assert f"0 data keys of 1 tenant came under {before.key}\n" == capsys.readouterr().out
    assert run("encryption", "rotate", "--all-tenants", "--data-key") == 2
    assert "each tenant's own affair" in capsys.readouterr().err
    assert run("encryption", "show") == 0
    assert "in use from now on" in capsys.readouterr().out
    assert run("encryption", "show", "--json") == 0
    assert json.loads(capsys.readouterr().out)["data_key"] == added


def test_a_new_key_is_printed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Another one every time."""
    assert run("encryption", "new-key") == 0
    assert run("encryption", "new-key") == 0
    first, second = capsys.readouterr().out.split()
    assert re.fullmatch(r"k\d{8}-[0-9a-f]{4}:[A-Za-z0-9+/]{43}=", first)
    assert first.partition(":")[2] != second.partition(":")[2]


def test_the_doctor_tells_of_keys(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("doctor", "--json")
    (found,) = [each for each in json.loads(capsys.readouterr().out) if each["check"] == "encryption"]
    assert found == {"check": "encryption", "ok": True, "found": "at rest off, every key is there", "hint": ""}
