"""Signing in at the server's identity provider: with a code that is typed into any browser, or with this machine's."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from typing import Any

import click

from codetether_core.errors import NotConfigured

__all__ = ["provider_token"]


def provider_token(ways: Mapping[str, Any], *, browser: bool) -> str:
    """The provider's access token for whoever signed in there; a code is the way unless it has none."""
    if not ways.get("issuer"):
        raise NotConfigured(f"This server has no identity provider: {ways['message']}", hint="codetether login NAME")
    try:
        from codetether_adapters.oidc import configuration_of, offers_device_codes
    except ModuleNotFoundError as error:
        raise NotConfigured(f"This needs the package {error.name}", hint="pip install 'codetether-hub[oidc]'") from None
    configuration = configuration_of(ways["issuer"])
    way = _by_browser if browser or not offers_device_codes(configuration) else _by_code
    return way(configuration, ways["client_id"])


def _by_code(configuration: Mapping[str, Any], client_id: str) -> str:
    from codetether_adapters.oidc import begin_device_sign_in, finish_device_sign_in

    code = begin_device_sign_in(configuration, client_id)
    click.echo(f"Open {code.complete_uri or code.uri}\nand enter {code.user_code}", err=True)
    return finish_device_sign_in(code)


def _by_browser(configuration: Mapping[str, Any], client_id: str) -> str:
    from codetether_adapters.oidc import open_browser_sign_in

    with open_browser_sign_in(configuration, client_id) as sign_in:
        click.echo(f"Open {sign_in.url}\nin a browser on this machine, if none opens by itself", err=True)
        webbrowser.open(sign_in.url)
        return sign_in.finish()
