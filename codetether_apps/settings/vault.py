"""Settings of the place where secrets can be kept, so that they stand in no setting."""

# ruff: noqa: RUF009 - `setting` makes an attrs field, no shared value

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from codetether_apps.settings.kinds import PATH, SECRET, TEXT, url
from codetether_apps.settings.setting import setting

__all__ = ["Vault"]

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@frozen(kw_only=True)
class Vault:
    """A HashiCorp Vault or OpenBao: any other secret may be ``vault:MOUNT/PATH#FIELD`` then."""

    addr: str | None = setting(
        None, url("https://vault.example.org:8200"),
        "Vault or OpenBao with the secrets that are given as `vault:MOUNT/PATH#FIELD`", aliases=("VAULT_ADDR",),
        shown="none",
    )  # fmt: skip
    token: str | None = setting(
        None, SECRET, "Token for it, where nothing below says how to get one", aliases=("VAULT_TOKEN",), secret=True,
        shown="none",
    )  # fmt: skip
    role_id: str | None = setting(None, SECRET, "Role to sign in there with, by AppRole", secret=True, shown="none")
    secret_id: str | None = setting(None, SECRET, "Secret of that role", secret=True, shown="none")
    approle_mount: str = setting("approle", TEXT, "Where AppRole is mounted there, below `auth/`")
    kubernetes_role: str | None = setting(
        None, TEXT, "Role to sign in there with, by the service account of this pod", shown="none"
    )
    kubernetes_token: Path = setting(_SERVICE_ACCOUNT, PATH, "Token of that service account")
    kubernetes_mount: str = setting("kubernetes", TEXT, "Where Kubernetes is mounted there, below `auth/`")
    namespace: str | None = setting(
        None, TEXT, "Namespace there", aliases=("VAULT_NAMESPACE",), shown="none"
    )  # fmt: skip
    ca: Path | None = setting(
        None, PATH, "Certificates of the authorities that vouch for it", aliases=("VAULT_CACERT",),
        shown="the system's",
    )  # fmt: skip
