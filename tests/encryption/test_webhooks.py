"""Where receivers are, and how to sign in there, is nowhere in clear, also where nothing else is encrypted."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.http.server import TOKEN, serving

URL = "https://hooks.example.org/urlinwebhook"
TOKEN_OF_RECEIVER = "tokeninwebhook"
CREDENTIALS = "credentialsinwebhook"


def test_targets_are_always_encrypted(tmp_path: Path) -> None:
    """What is beside them in the same row is there: so this can fail."""
    with (
        serving(tmp_path) as running,
        httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client,
    ):
        task = client.post("/v1/agent/tasks", json={"prompt": "p", "codebase_id": "global"}).json()["id"]
        config = {
            "id": "nameofwebhook",
            "url": URL,
            "token": TOKEN_OF_RECEIVER,
            "authentication": {"scheme": "Bearer", "credentials": CREDENTIALS},
        }
        at = f"/a2a/rest/tasks/{task}/pushNotificationConfigs"
        assert client.post(at, json=config).status_code == 200
        assert client.get(f"{at}/nameofwebhook").json()["url"] == URL
    data = b"\0".join(path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file())
    assert b"nameofwebhook" in data
    for secret in (URL, TOKEN_OF_RECEIVER, CREDENTIALS):
        assert secret.encode() not in data
