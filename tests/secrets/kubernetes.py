"""The one question that a vault has for the API of Kubernetes: whose token is this (TokenReview)?

There is no real API server to be had from package registries; the vault that asks is real.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import Any

from tests.servers.tls import Authority
from tests.servers.vault import VaultServer

__all__ = ["kubernetes_login", "service_account_token"]


class _Api(BaseHTTPRequestHandler):
    """Knows whose a token is by what it says itself."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/apis/authentication.k8s.io/v1/tokenreviews"
        claims = review["spec"]["token"].split(".")[1]
        name = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
        user = {"username": name, "uid": "u1", "groups": ["system:serviceaccounts"]}
        told = json.dumps({**review, "status": {"authenticated": True, "user": user}}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def kubernetes_login(vault: VaultServer, directory: Path) -> Iterator[str]:
    """Where the service account ``app`` of the namespace ``team`` may sign in to the vault, with the role ``app``."""
    mount = f"kubernetes-{token_hex(6)}"
    with ThreadingHTTPServer(("127.0.0.1", 0), _Api) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        vault.ask("POST", f"sys/auth/{mount}", type="kubernetes")
        vault.ask(
            "POST",
            f"auth/{mount}/config",
            kubernetes_host=f"http://127.0.0.1:{server.server_port}",
            kubernetes_ca_cert=Authority(directory / "ca").ca.read_text(),
            token_reviewer_jwt=service_account_token("vault"),
            disable_local_ca_jwt=True,
        )
        vault.ask(
            "POST",
            f"auth/{mount}/role/app",
            bound_service_account_names="app",
            bound_service_account_namespaces="team",
            token_policies=[vault.policy()],
            token_ttl="1h",
        )
        yield mount
        server.shutdown()
        thread.join()


def service_account_token(name: str) -> str:
    """A token in the shape that Kubernetes gives; nobody here looks at its signature."""
    account = {"service-account.name": name, "service-account.uid": "u1", "namespace": "team"}
    claims = {f"kubernetes.io/serviceaccount/{key}": value for key, value in account.items()}
    claims |= {"sub": f"system:serviceaccount:team:{name}", "iss": "kubernetes/serviceaccount"}
    parts = (json.dumps({"alg": "RS256"}), json.dumps(claims), "s" * 64)
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)
