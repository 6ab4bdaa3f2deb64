"""Signing in with a code that is entered elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codetether_adapters.oidc import (
    SignInRefused,
    begin_device_sign_in,
    configuration_of,
    finish_device_sign_in,
)
from codetether_core.errors import Unavailable
from tests.identity.browser import enter_code
from tests.servers.identity import IdentityProvider, running


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with running(tmp_path_factory.mktemp("identity")) as provider:
        yield provider


def test_whoever_enters_the_code_is_signed_in(provider: IdentityProvider) -> None:
    """After having been asked for as long as nobody did."""
    code = begin_device_sign_in(configuration_of(provider.issuer), "web")
    assert code.user_code and code.complete_uri and code.interval == 5.0
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            assert "Sign-in Success" in enter_code(str(code.complete_uri), name="ann")

    assert finish_device_sign_in(code, wait).count(".") == 2
    assert waits == [5.0, 5.0]


def test_a_code_that_is_refused_or_forgotten_signs_nobody_in(provider: IdentityProvider) -> None:
    code = begin_device_sign_in(configuration_of(provider.issuer), "web")
    with pytest.raises(SignInRefused, match="in time"):
        finish_device_sign_in(code, lambda seconds: None)
    refused = begin_device_sign_in(configuration_of(provider.issuer), "web")
    enter_code(str(refused.complete_uri), name="ann", allow=False)
    with pytest.raises(SignInRefused, match="refused"):
        finish_device_sign_in(refused, lambda seconds: None)


def test_a_provider_that_does_not_know_us_or_is_away(provider: IdentityProvider, tmp_path: Path) -> None:
    with pytest.raises(SignInRefused, match="refused"):
        begin_device_sign_in(configuration_of(provider.issuer), "nobody")
    with pytest.raises(SignInRefused, match="offers no sign-in by device code"):
        begin_device_sign_in({"issuer": provider.issuer}, "web")
    with pytest.raises(SignInRefused, match="offers no sign-in"):
        configuration_of(f"{provider.issuer}/")
    with pytest.raises(Unavailable, match="does not answer"):
        configuration_of("http://127.0.0.1:1")
