"""Signing in on another device: the device authorization grant (RFC 8628), for programs without a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen

from codetether_adapters.oidc.asking import asked, object_in
from codetether_adapters.oidc.code import refused
from codetether_adapters.oidc.refusals import SignInRefused

__all__ = ["DeviceCode", "begin_device_sign_in", "finish_device_sign_in", "offers_device_codes"]

_ENDPOINT: Final = "device_authorization_endpoint"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_SCOPE: Final = "openid"
_INTERVAL: Final = 5.0
"""Seconds between two questions, where the provider does not say (section 3.5)."""


@frozen(kw_only=True)
class DeviceCode:
    """What the person is to open, and to type there; the rest is for finishing."""

    uri: str
    complete_uri: str | None
    user_code: str
    device_code: str
    interval: float
    expires_in: float
    client_id: str
    token_endpoint: str


def offers_device_codes(configuration: Mapping[str, Any]) -> bool:
    """Whether the provider has this way."""
    return bool(configuration.get(_ENDPOINT))


def begin_device_sign_in(configuration: Mapping[str, Any], client_id: str) -> DeviceCode:
    """Ask the provider for a code; ``SignInRefused`` if it has no such way, ``Unavailable`` if it does not answer."""
    issuer = configuration["issuer"]
    if not offers_device_codes(configuration):
        raise SignInRefused(f"{issuer} offers no sign-in by device code", hint="show a token instead: CODETETHER_TOKEN")
    answer = asked(issuer, "POST", str(configuration[_ENDPOINT]), client_id=client_id, scope=_SCOPE)
    told = object_in(answer)
    if answer.is_error:
        raise refused(told.get("error"), told.get("error_description"))
    return DeviceCode(
        uri=told["verification_uri"],
        complete_uri=told.get("verification_uri_complete"),
        user_code=told["user_code"],
        device_code=told["device_code"],
        interval=float(told.get("interval", _INTERVAL)),
        expires_in=float(told["expires_in"]),
        client_id=client_id,
        token_endpoint=str(configuration["token_endpoint"]),
    )


def finish_device_sign_in(code: DeviceCode, sleep: Callable[[float], None] = time.sleep) -> str:
    """Wait until the person has done it; the access token. ``SignInRefused`` if that does not happen."""
    interval, waited = code.interval, 0.0
    while waited < code.expires_in:
        sleep(interval)
        waited += interval
        answer = asked(
            code.token_endpoint,
            "POST",
            code.token_endpoint,
            grant_type=_GRANT,
            device_code=code.device_code,
            client_id=code.client_id,
        )
        told = object_in(answer)
        if not answer.is_error:
            return str(told["access_token"])
        match told.get("error"):
            case "authorization_pending":
                continue
            case "slow_down":
                interval += _INTERVAL
            case _:
                raise refused(told.get("error"), told.get("error_description"))
    raise SignInRefused("Nobody entered the code in time", hint="begin again")
