"""Signing in on another device: the device authorization grant (RFC 8628), for programs without a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from attrs import frozen

from codetether_core.errors import CodeTetherError, Unavailable

__all__ = ["DeviceCode", "SignInRefused", "begin_device_sign_in", "finish_device_sign_in"]

_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_SCOPE: Final = "openid"
_INTERVAL: Final = 5.0
"""Seconds between two questions, where the provider does not say (section 3.5)."""

_PATIENCE: Final = 10.0


class SignInRefused(CodeTetherError):
    """The provider, or the person, said no."""

    code = "sign_in_refused"


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


def begin_device_sign_in(issuer: str, client_id: str) -> DeviceCode:
    """Ask the provider for a code; ``SignInRefused`` if it has no such way, ``Unavailable`` if it does not answer."""
    configuration = _json(_call(issuer, "GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
    endpoint = configuration.get("device_authorization_endpoint")
    if configuration.get("issuer") != issuer or not endpoint:
        raise SignInRefused(f"{issuer} offers no sign-in by device code", hint="show a token instead: CODETETHER_TOKEN")
    answer = _call(issuer, "POST", str(endpoint), client_id=client_id, scope=_SCOPE)
    told = _json(answer)
    if answer.is_error:
        raise _refused(told)
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
        answer = _call(
            code.token_endpoint,
            "POST",
            code.token_endpoint,
            grant_type=_GRANT,
            device_code=code.device_code,
            client_id=code.client_id,
        )
        told = _json(answer)
        if not answer.is_error:
            return str(told["access_token"])
        match told.get("error"):
            case "authorization_pending":
                continue
            case "slow_down":
                interval += _INTERVAL
            case _:
                raise _refused(told)
    raise SignInRefused("Nobody entered the code in time", hint="begin again")


def _call(whom: str, method: str, url: str, **form: str) -> httpx.Response:
    try:
        return httpx.request(method, url, data=form or None, timeout=_PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"The identity provider {whom} does not answer: {error or type(error).__name__}") from error


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Unavailable(f"{answer.url} of the identity provider is no JSON object")
    return told


def _refused(told: Mapping[str, Any]) -> SignInRefused:
    return SignInRefused(
        f"The identity provider refused: {told.get('error_description') or told.get('error')}", hint="begin again"
    )
