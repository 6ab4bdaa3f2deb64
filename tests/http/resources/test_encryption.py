"""Which keys are in use, and their rotation."""

from __future__ import annotations

import pytest

from tests.http.coverage import covers
from tests.http.resources.world import open_world

pytestmark = pytest.mark.anyio


@covers("GET /v1/encryption")
@covers("POST /v1/encryption/rotate")
async def test_keys_are_told_of_and_rotated() -> None:
    """What was encrypted before can be read after it, and the trail says who did it."""
    async with open_world() as world:
        nothing = (await world.client.get("/v1/encryption")).json()
        key = {"id": "k1", "data_keys": 0, "available": True}
        assert nothing == {"tenant": "default", "at_rest": False, "key": "k1", "data_key": "", "keys": [key]}
        sealed = await world.services.encryption.encrypt(nothing["tenant"], b"hush", "here")
        rotated = await world.client.post("/v1/encryption/rotate", json={"data_key": True})
        assert rotated.json() == {"rewrapped": 0, "added": "key-000002"}
        told = (await world.client.get("/v1/encryption")).json()
        assert (told["data_key"], told["keys"][0]["data_keys"]) == ("key-000002", 2)
        assert await world.services.encryption.decrypt(nothing["tenant"], sealed, "here") == b"hush"
        event, _ = (await world.client.get("/v1/audit/events?action=data_key.*")).json()["events"]
        assert (event["action"], event["resource"]) == ("data_key.added", "data_key/key-000002")
        assert event["metadata"]["wrapped_by"] == "k1"
        assert event["actor"] == (await world.client.get("/v1/auth/session")).json()["username"]
