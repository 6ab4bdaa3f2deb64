"""Settings of who may ask, and what they may do."""

# ruff: noqa: RUF009 - `setting` makes an attrs field, no shared value

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from attrs import frozen

from codetether_apps.settings.certificates import CLIENT_CERTIFICATES
from codetether_apps.settings.encryption import NAMED_KEYS, GivenKey
from codetether_apps.settings.kinds import KEY, POLICY, RATE, SECRET, SWITCH, TEXT, items, pairs, url
from codetether_apps.settings.quantities import DURATION
from codetether_apps.settings.setting import setting
from codetether_apps.settings.tokens import DEPLOYED_TOKENS, TOKENS, GivenToken
from codetether_core.access import CertificateRule

__all__ = ["Auth", "Limits", "Oidc"]

_TEXTS = items("text list", TEXT.read)


@frozen(kw_only=True)
class Auth:
    """Who may ask."""

    enabled: bool = setting(
        True, SWITCH, "Authentication; off only on a loopback address", env="AUTH", aliases=("A2A_AUTH_ENABLED",)
    )
    tokens: tuple[GivenToken, ...] = setting(
        (), TOKENS, "Who may ask: `name:token[:role]`, commas between; without a role editor and worker",
        env="TOKENS", aliases={"A2A_AUTH_TOKENS": DEPLOYED_TOKENS}, secret=True,
        shown="one generated at first start on an embedded store",
    )  # fmt: skip
    client_certificates: tuple[CertificateRule, ...] = setting(
        (), CLIENT_CERTIFICATES,
        "Who may ask with a certificate: `name:role[+role][@worker]=uri:…`, or `dns:…` or `cn:…`, commas between",
        env="CLIENT_CERTIFICATES", shown="none",
    )  # fmt: skip
    policy: str = setting(
        "rego", POLICY,
        "Who may do what: `rego`, the policy that comes with this; `file:///PATH`, one of yours or a directory of them;"
        " `opa+http://…`, an OPA server's; `roles`, without any engine",
        env="POLICY",
    )  # fmt: skip
    secret_key: str | None = setting(
        None, KEY, "Under which issued tokens are kept, the same on every server of a store: 32 characters at least",
        env="SECRET_KEY", secret=True, shown="one generated at first start on an embedded store; none on a shared one",
    )  # fmt: skip
    card_keys: tuple[GivenKey, ...] = setting(
        (), NAMED_KEYS,
        "Keys that sign the agent card, `name:key`, commas between, each with a signature of its own. The same on every"
        " server of a store; the card of a server without `server.public_url` is not signed",
        env="CARD_KEYS", secret=True, shown="one made of `auth.secret_key`",
    )  # fmt: skip
    key_max_age: timedelta = setting(
        timedelta(days=90), DURATION, "Longest life of a key of somebody whom the OpenID provider vouches for",
        env="KEY_MAX_AGE",
    )  # fmt: skip


@frozen(kw_only=True)
class Limits:
    """How often is too often; `none` for as often as one likes."""

    requests: str = setting(
        "60000/minute", RATE, "Requests of one principal; what workers say of their runs is not counted",
        env="LIMIT_REQUESTS",
    )  # fmt: skip
    failures: str = setting(
        "120/minute", RATE, "Credentials from one address that do not count, before it is told only to wait",
        env="LIMIT_FAILURES",
    )  # fmt: skip
    sign_ins: str = setting(
        "20/minute", RATE, "Attempts to sign in, from one address and under one name", env="LIMIT_SIGN_INS"
    )
    store: str | None = setting(
        None, url("redis://127.0.0.1:6379/0"), "Where they are counted for all servers together: `redis://…`",
        env="LIMIT_STORE", secret=True, shown="in each server",
    )  # fmt: skip


@frozen(kw_only=True)
class Oidc:
    """An OpenID provider, such as Keycloak, whose tokens count here too."""

    issuer: str | None = setting(
        None, url("https://id.example.org/realms/team"), "Identifier of the provider, as its tokens have it in `iss`",
        env="OIDC_ISSUER", shown="none",
    )  # fmt: skip
    audiences: tuple[str, ...] = setting(
        ("codetether",), _TEXTS, "Tokens count that have one of these in `aud`", env="OIDC_AUDIENCES"
    )
    client_id: str = setting(
        "codetether", TEXT, "What our commands call themselves there: a public client that may use device codes",
        env="OIDC_CLIENT_ID",
    )  # fmt: skip
    web_client_id: str | None = setting(
        None, TEXT, "What the server calls itself there when somebody signs in with a browser",
        env="OIDC_WEB_CLIENT_ID", shown="as our commands",
    )  # fmt: skip
    client_secret: str | None = setting(
        None, SECRET, "The secret of that one, if it is a confidential client", env="OIDC_CLIENT_SECRET", secret=True,
        shown="none: a public client",
    )  # fmt: skip
    scopes: tuple[str, ...] = setting(
        (), _TEXTS, "What to ask for there besides `openid` and `profile`, such as `groups`", env="OIDC_SCOPES",
        shown="nothing",
    )  # fmt: skip
    role_claims: tuple[str, ...] = setting(
        ("roles", "groups", "realm_access.roles"), _TEXTS, "Claims with the names of roles or groups, as paths",
        env="OIDC_ROLE_CLAIMS",
    )  # fmt: skip
    roles: Mapping[str, str] = setting(
        MappingProxyType({}), pairs("group=role"),
        "What those names mean: `group=role`, commas between; one of our roles means itself", env="OIDC_ROLES",
        shown="none",
    )  # fmt: skip
    tenant_claim: str | None = setting(
        None, TEXT, "Claim that names the tenant, as a path", env="OIDC_TENANT_CLAIM",
        shown="none: everybody is of the default tenant",
    )  # fmt: skip
