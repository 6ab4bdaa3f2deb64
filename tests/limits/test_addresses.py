"""Whose address it is: what strangers write into a header is believed by nobody."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.http.addresses import client_address

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48")]


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    client = None if peer is None else (peer, 1234)
    return {"client": client, "headers": [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded]}


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", ["198.51.100.9"], "192.0.2.1"),  # nobody's proxy
        ("10.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("10.0.0.1", ["203.0.113.7, 198.51.100.9"], "198.51.100.9"),  # the first was written by the client
        ("10.0.0.1", ["203.0.113.7, 198.51.100.9, 10.2.3.4"], "198.51.100.9"),
        ("10.0.0.1", ["203.0.113.7", "198.51.100.9", "10.2.3.4"], "198.51.100.9"),
        ("10.0.0.1", ["10.9.9.9, 10.2.3.4"], "10.9.9.9"),
        ("10.0.0.1", ["198.51.100.9:4711"], "198.51.100.9"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("2001:db8:1::2", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.9, garbage"], "10.0.0.1"),
        ("10.0.0.1", [" , ,"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("", ["198.51.100.9"], ""),
        (None, ["198.51.100.9"], ""),
    ],
)
def test_whose_address_it_is(peer: str | None, forwarded: list[str], found: str) -> None:
    assert client_address(scope(peer, *forwarded), TRUSTED) == found
    assert client_address(scope(peer, *forwarded), []) == (peer or "")


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=5))
def test_a_stranger_is_known_by_the_connection(forwarded: list[str]) -> None:
    assert client_address(scope("192.0.2.1", *forwarded), TRUSTED) == "192.0.2.1"


@given(st.text(st.characters(max_codepoint=255, exclude_characters=",")))
def test_what_a_client_writes_before_the_proxy_changes_nothing(written: str) -> None:
    assert client_address(scope("10.0.0.1", f"{written}, 198.51.100.9"), TRUSTED) == "198.51.100.9"
