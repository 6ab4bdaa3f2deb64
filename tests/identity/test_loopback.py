"""Signing in with the browser of this machine, for commands."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from codetether_adapters.oidc import (
    SignInRefused,
    SignInUnproven,
    configuration_of,
    open_browser_sign_in,
)
from codetether_apps.cli.identity_provider import provider_token
from tests.identity.browser import agree
from tests.identity.test_tokens import claims_of
from tests.servers.identity import IdentityProvider, running


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with running(tmp_path_factory.mktemp("identity")) as provider:
        yield provider


def person(name: str, change: Callable[[str], str] = str) -> Callable[[str], bool]:
    """A browser whose user signs in as soon as it is opened, and what becomes of the address that it is sent to."""

    async def open_it(url: str) -> None:
        async with httpx.AsyncClient() as browser:
            await browser.get(change(await agree(browser, url, name=name)))

    def opened(url: str) -> bool:
        asyncio.run(open_it(url))
        return True

    return opened


def ways(provider: IdentityProvider) -> dict[str, str]:
    return {"issuer": provider.issuer, "client_id": "web", "message": ""}


def test_whoever_signs_in_is_known_to_the_command(
    provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address is told besides, for a browser that does not open by itself."""
    monkeypatch.setattr(webbrowser, "open", person("ann.editor"))
    token = provider_token(ways(provider), browser=True)
    assert claims_of(token)["sub"] == "ann.editor"
    assert f"Open {provider.issuer}/auth?" in capsys.readouterr().err


def test_a_provider_without_codes_is_asked_by_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to know which way it has."""
    monkeypatch.setattr(webbrowser, "open", person("ann"))
    with running(tmp_path) as provider:
        provider.stop()
        provider.codes = False
        provider.start()
        assert claims_of(provider_token(ways(provider), browser=False))["sub"] == "ann"


def test_nobody_is_waited_for_in_vain(provider: IdentityProvider) -> None:
    with (
        open_browser_sign_in(configuration_of(provider.issuer), "web") as sign_in,
        pytest.raises(SignInRefused, match="Nobody signed in in time"),
    ):
        sign_in.finish(patience=0)


def test_another_providers_answer_is_none(provider: IdentityProvider) -> None:
    """Its code would go to this one, or this one's to it."""
    with open_browser_sign_in(configuration_of(provider.issuer), "web") as sign_in:
        person("ann", lambda url: str(httpx.URL(url).copy_set_param("iss", "https://evil.test")))(sign_in.url)
        with pytest.raises(SignInUnproven, match="iss"):
            sign_in.finish()


def test_a_code_that_somebody_put_in_is_refused(provider: IdentityProvider) -> None:
    """It was not given for our verifier."""
    configuration = configuration_of(provider.issuer)
    with open_browser_sign_in(configuration, "web") as theirs, open_browser_sign_in(configuration, "web") as sign_in:
        codes: list[str] = []

        def keep(url: str) -> str:
            codes.append(httpx.URL(url).params["code"])
            return f"{provider.issuer}/.well-known/openid-configuration"

        person("eve", keep)(theirs.url)
        person("ann", lambda url: str(httpx.URL(url).copy_set_param("code", codes[0])))(sign_in.url)
        with pytest.raises(SignInRefused):
            sign_in.finish()


def test_a_provider_without_pages(provider: IdentityProvider) -> None:
    with (
        pytest.raises(SignInRefused, match="offers no sign-in in a browser"),
        open_browser_sign_in({"issuer": provider.issuer, "token_endpoint": f"{provider.issuer}/token"}, "web"),
    ):
        pass
