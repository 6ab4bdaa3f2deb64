"""Signing in with the browser of this machine (RFC 8252): the provider's answer comes to a port that we open for it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field

from codetether_adapters.oidc.asking import asked
from codetether_adapters.oidc.code import Client, begun_at, check_issuer, refused, token_form, tokens_in
from codetether_adapters.oidc.refusals import SignInRefused

__all__ = ["BrowserSignIn", "open_browser_sign_in"]

_PATH: Final = "/callback"
_SCOPE: Final = "openid"
_PATIENCE: Final = 300.0
"""Seconds for somebody to sign in."""


@define(eq=False)
class BrowserSignIn:
    """One that is under way: ``url`` is what the person is to open."""

    url: str
    _configuration: Mapping[str, Any]
    _client: Client
    _redirect_uri: str
    _verifier: str = field(repr=False)
    _answers: SimpleQueue[Mapping[str, str]]

    def finish(self, patience: float = _PATIENCE) -> str:
        """Wait until the person has done it; the access token. ``SignInRefused`` if that does not happen."""
        try:
            answer = self._answers.get(timeout=patience)
        except Empty:
            raise SignInRefused("Nobody signed in in time", hint="begin again") from None
        check_issuer(self._configuration, answer.get("iss", ""))
        if "code" not in answer:
            raise refused(answer.get("error", "it sent no code"), answer.get("error_description"))
        form = {**token_form(answer["code"], self._redirect_uri, self._verifier), "client_id": self._client.id}
        url = str(self._configuration["token_endpoint"])
        return str(tokens_in(asked(self._configuration["issuer"], "POST", url, **form))["access_token"])


@contextmanager
def open_browser_sign_in(configuration: Mapping[str, Any], client_id: str) -> Iterator[BrowserSignIn]:
    """Within, the port is open, on loopback alone; ``SignInRefused`` if the provider has no such way."""
    state, verifier, answers = secrets.token_urlsafe(32), secrets.token_urlsafe(32), SimpleQueue[Mapping[str, str]]()

    class Handler(BaseHTTPRequestHandler):
        """Takes the one request that knows the state."""

        timeout = 10.0  # browsers open connections that they may never use

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            told = dict(parse_qsl(url.query))
            ours = url.path == _PATH and hmac.compare_digest(told.get("state", "").encode(), state.encode())
            said = b"You may close this page.\n" if ours else b"This is no answer to the sign-in that is under way.\n"
            self.send_response(200 if ours else 400)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(said)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(said)
            if ours:
                answers.put(told)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what comes has the code in it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        client, redirect_uri = Client(id=client_id), f"http://127.0.0.1:{listener.server_port}{_PATH}"
        url = begun_at(configuration, client, redirect_uri=redirect_uri, scope=_SCOPE, verifier=verifier, state=state)
        Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield BrowserSignIn(url, configuration, client, redirect_uri, verifier, answers)
        finally:
            listener.shutdown()
