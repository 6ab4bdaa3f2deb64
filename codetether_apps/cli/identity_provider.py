"""Signing in at the server's identity provider, with a code that is typed into a browser anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from codetether_core.errors import NotConfigured

__all__ = ["provider_token"]


def provider_token(ways: Mapping[str, Any]) -> str:
    """The provider's access token for whoever entered the code that is shown."""
    if not ways.get("issuer"):
        raise NotConfigured(f"This server has no identity provider: {ways['message']}", hint="codetether login NAME")
    try:
        from codetether_adapters.oidc import begin_device_sign_in, finish_device_sign_in
    except ModuleNotFoundError as error:
        raise NotConfigured(f"This needs the package {error.name}", hint="pip install 'codetether-hub[oidc]'") from None
    code = begin_device_sign_in(ways["issuer"], ways["client_id"])
    click.echo(f"Open {code.complete_uri or code.uri}\nand enter {code.user_code}", err=True)
    return finish_device_sign_in(code)
