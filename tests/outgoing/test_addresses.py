"""Addresses that are everybody's, and all the others there are ways to write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.outgoing.addresses import address_of, is_public
from codetether_adapters.outgoing.allowing import allowed, checked_exception

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8"]

_OURS = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.0.1 168.63.129.16
    169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::8.8.8.8
    64:ff9b:1::a00:1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 2002:7f00:1:: 2002:a00:1::1
    3fff::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ff0e::1
"""


@pytest.mark.parametrize("text", PUBLIC)
def test_anybodys(text: str) -> None:
    assert is_public(address_of(text))


@pytest.mark.parametrize("text", _OURS.split())
def test_nobody_elses(text: str) -> None:
    assert not is_public(address_of(text))


@given(st.ip_addresses(v=4))
def test_ipv6_leads_nowhere_that_ipv4_does_not(address: object) -> None:
    """However the address is written in it."""
    assert is_public(address_of(f"::ffff:{address}")) == is_public(address_of(str(address)))
    packed = int(address)  # type: ignore[call-overload]
    for other in (packed, 0x64_FF9B << 96 | packed, 0x2002 << 112 | packed << 80, 0x2001_0000 << 96 | packed):
        assert not is_public(address_of(_ipv6(other)))


def _ipv6(number: int) -> str:
    return ":".join(f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16))


def test_exceptions() -> None:
    known = allowed(["Hooks.Example.org", "build:8080", "10.0.0.0/8", "[::1]:9000", "192.168.1.7"])
    assert known.host("hooks.example.org", 1) and known.host("build", 8080) and known.host("::1", 9000)
    assert not known.host("build", 80) and not known.host("example.org", 1) and not known.anywhere
    assert known.address(address_of("10.1.2.3")) and known.address(address_of("192.168.1.7"))
    assert not known.address(address_of("192.168.1.8"))
    assert allowed(["*"]).host("whatever", 1)


@pytest.mark.parametrize("text", ["", "http://here", "a b", "host:", "host:http", "10.0.0.0/33", "**"])
def test_what_is_no_exception(text: str) -> None:
    with pytest.raises(ValueError, match="hosts such as"):
        checked_exception(text)
