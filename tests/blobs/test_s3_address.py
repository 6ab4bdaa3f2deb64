"""What a bucket's URL may say."""

from io import BytesIO

import pytest
from minio import Minio
from minio.sse import Sse

from codetether_adapters.s3.address import parse
from codetether_adapters.s3.bucket import Bucket
from codetether_core.errors import Invalid

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_SESSION_TOKEN": "t0k3n"}


def test_a_url_may_say_everything() -> None:
    """Keys are percent-encoded, TLS is the rule, and the URL goes before the environment."""
    address = parse("s3://a%2Fb:c%2F%40d@s3.example:9000/bucket/some/prefix/?region=eu-1&sse=kms:alias/x", KEYS)
    assert (address.host, address.secure) == ("s3.example:9000", True)
    assert (address.bucket, address.prefix) == ("bucket", "some/prefix/")
    assert (address.region, address.sse) == ("eu-1", "kms:alias/x")
    assert (address.access_key, address.secret_key, address.session_token) == ("a/b", "c/@d", None)


def test_a_url_may_leave_most_to_the_environment() -> None:
    """A token belongs to the key that it comes with; the region of those who name none is us-east-1."""
    address = parse("s3://[::1]/bucket", {**KEYS, "AWS_REGION": "eu-2", "AWS_DEFAULT_REGION": "eu-3"})
    assert (address.host, address.prefix, address.region, address.sse) == ("[::1]", "", "eu-2", "")
    assert (address.access_key, address.secret_key, address.session_token) == ("key", "s3cr3t", "t0k3n")
    assert parse("s3://host/bucket", KEYS).region == "us-east-1"


def test_secrets_are_not_shown() -> None:
    assert "s3cr3t" not in repr(parse("s3://host/bucket", KEYS)) and "t0k3n" not in repr(
        parse("s3://host/bucket", KEYS)
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("", "a host"),
        ("http://host/bucket", "must be s3://"),
        ("s3:///bucket", "a host"),
        ("s3://host:port/bucket", "a host"),
        ("s3://host:0/bucket", "a host"),
        ("s3://host:99999/bucket", "a host"),
        ("s3://[host/bucket", "a host"),
        ("s3://host/bucket#x", "what else"),
        ("s3://host", "name a bucket"),
        ("s3://host/", "name a bucket"),
        ("s3://host/Bucket", "name a bucket"),
        ("s3://host/b", "name a bucket"),
        ("s3://host/a..b", "name a bucket"),
        ("s3://host/bucket/a//b", "prefix"),
        ("s3://host/bucket/../x", "prefix"),
        ("s3://host/bucket?zone=x", "region, sse"),
        ("s3://host/bucket?region=", "region, sse"),
        ("s3://host/bucket?region=a&region=b", "region, sse"),
        ("s3://host/bucket?sse=c", "sse=s3"),
        ("s3://host/bucket?sse=kms:", "sse=s3"),
        ("s3+http://host/bucket?sse=kms:x", "without TLS"),
        ("s3://key@host/bucket", "both"),
        ("s3://:hidden@host/bucket", "both"),
    ],
)
def test_a_wrong_url_is_refused(wrong: str, says: str) -> None:
    """With what is wrong and an example, and never with itself: it has a secret in it."""
    with pytest.raises(Invalid) as caught:
        parse(wrong, KEYS)
    assert says in caught.value.message and caught.value.hint.startswith("s3://")
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize(
    ("option", "headers"),
    [
        ("", {}),
        ("?sse=s3", {"X-Amz-Server-Side-Encryption": "AES256"}),
        (
            "?sse=kms:alias/x",
            {"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "alias/x"},
        ),
    ],
)
def test_encryption_is_asked_for_with_every_upload(
    option: str, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that encrypts everything, as the one that the other tests ask, would not miss the request."""
    seen = list[dict[str, str]]()

    def put_object(*args: object, sse: Sse | None, **more: object) -> None:
        seen.append(sse.headers() if sse else {})

    monkeypatch.setattr(Minio, "put_object", put_object)
    bucket = Bucket(parse(f"s3://host/bucket{option}", KEYS))
    bucket.put("key", BytesIO(b"x"), 1)
    bucket.close()
    assert seen == [headers]


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_keys_must_come_from_somewhere(missing: str) -> None:
    with pytest.raises(Invalid, match=missing):
        parse("s3://host/bucket", {**KEYS, missing: ""})
