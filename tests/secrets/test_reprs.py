"""What is secret is in no value's ``repr``: those are in tracebacks, logs and failing tests."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import attrs
import pytest

from codetether_adapters.client.lease_words import Claimed, Lease
from codetether_adapters.redis.address import address
from codetether_core.secrets import HandedSecret
from contracts.ports.samples import NOW
from tests.client.test_offers import task_of

PACKAGES = ["codetether_core", "codetether_adapters", "codetether_apps"]
DESCRIBED = "codetether_adapters.http.resources.shapes"
"""Classes of which nobody makes values."""

TEXT = re.compile(r"str|str \| None|Mapping\[str, str\]")
KEPT_QUIET = re.compile(r"(?!(next_)?page_token).*(^|_)(token|password|secret|environment|nonce|renewal|verifier)")
BYTES = re.compile(r"bytes|bytes \| None")
KEY = re.compile(r".*(^|_)key")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_field_that_is_secret_by_its_name_is_shown(package: str) -> None:
    root = importlib.import_module(package)
    shown: list[str] = []
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if found.name.startswith(DESCRIBED) or found.name.endswith("__main__"):
            continue
        for name, kind in inspect.getmembers(importlib.import_module(found.name), inspect.isclass):
            if kind.__module__ == found.name and attrs.has(kind):
                shown += [f"{found.name}.{name}.{each.name}" for each in attrs.fields(kind) if _is_shown(each)]
    assert not shown


def test_addresses_leases_and_claims_do_not_show_theirs() -> None:
    place = address("redis://me:the-password@store.example/0")
    assert place.password == "the-password"
    lease = Lease(token="1.the-token", expires_at=NOW, run_deadline=NOW, ttl_seconds=60)
    secret = HandedSecret(name="anthropic", variable="KEY", value="the-value")
    claimed = Claimed(task=task_of("t"), lease=lease, secrets=(secret,))
    assert claimed.environment == {"KEY": "the-value"}
    for word in ("the-password", "the-token", "the-value"):
        assert word not in repr([place, claimed])


def _is_shown(field: attrs.Attribute[object]) -> bool:
    kind = str(field.type)
    quiet = (TEXT.fullmatch(kind) and KEPT_QUIET.fullmatch(field.name)) or (
        BYTES.fullmatch(kind) and KEY.fullmatch(field.name)
    )
    return bool(quiet) and field.repr is True
