"""Principals, their credentials and accounts, roles and the pure default policy; what agents wish to do."""

from codetether_core.access.account import (
    ACCOUNT_TRANSITIONS,
    Account,
    AccountState,
    given_password,
    given_roles,
    switch,
)
from codetether_core.access.certificate import (
    CertificateName,
    CertificateRule,
    ClientCertificate,
    NameKind,
    known_by,
)
from codetether_core.access.credential import (
    Credential,
    CredentialKind,
    CredentialState,
    ended_before,
    principal_of,
    require_active,
    revoke,
)
from codetether_core.access.destination import given_url
from codetether_core.access.principal import DEFAULT_TENANT, SYSTEM, Principal
from codetether_core.access.roles import (
    LEASE,
    PERMISSIONS,
    PUBLIC,
    ROLES,
    allows,
    denied,
    refuse_delegated,
    require_tenant,
    require_worker,
)
from codetether_core.access.scopes import covers
from codetether_core.access.sign_in import ACCESS, SIGN_IN, VOUCHED, RenewalSpent, Secrets, renew
from codetether_core.access.token import RENEWING_BYTES, SECRET_BYTES, Token
from codetether_core.access.tool_use import ToolKind, ToolRequest, ToolUse
from codetether_core.access.verdict import POLICY_FAILED, UNDEFINED, Decision, Verdict

__all__ = [
    "ACCESS",
    "ACCOUNT_TRANSITIONS",
    "DEFAULT_TENANT",
    "LEASE",
    "PERMISSIONS",
    "POLICY_FAILED",
    "PUBLIC",
    "RENEWING_BYTES",
    "ROLES",
    "SECRET_BYTES",
    "SIGN_IN",
    "SYSTEM",
    "UNDEFINED",
    "VOUCHED",
    "Account",
    "AccountState",
    "CertificateName",
    "CertificateRule",
    "ClientCertificate",
    "Credential",
    "CredentialKind",
    "CredentialState",
    "Decision",
    "NameKind",
    "Principal",
    "RenewalSpent",
    "Secrets",
    "Token",
    "ToolKind",
    "ToolRequest",
    "ToolUse",
    "Verdict",
    "allows",
    "covers",
    "denied",
    "ended_before",
    "given_password",
    "given_roles",
    "given_url",
    "known_by",
    "principal_of",
    "refuse_delegated",
    "renew",
    "require_active",
    "require_tenant",
    "require_worker",
    "revoke",
    "switch",
]
