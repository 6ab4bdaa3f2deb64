"""Where a bucket is, and as whom to ask for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from attrs import field, frozen

from codetether_core.errors import Invalid

__all__ = ["Address", "parse"]

_SCHEMES: Final = {"s3": True, "s3+http": False}
_OPTIONS: Final = frozenset({"region", "sse"})
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SSE: Final = re.compile(r"s3|kms:[^ ]+")
_SHAPE: Final = "s3://ACCESS_KEY:SECRET_KEY@HOST:PORT/BUCKET/PREFIX?region=REGION&sse=s3"
_DEFAULT_REGION: Final = "us-east-1"


@frozen(kw_only=True)
class Address:
    """What the URL and the environment say."""

    host: str
    secure: bool
    bucket: str
    prefix: str
    """Before every key: empty, or ends in a slash."""
    region: str
    sse: str
    """Empty, ``s3``, or ``kms:`` and a key's id."""
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)


def parse(url: str, environment: Mapping[str, str]) -> Address:
    """The address; ``Invalid`` says what is missing, and never repeats the URL, which has a secret in it."""
    parts = _split(url)
    bucket, _, prefix = unquote(parts.path).strip("/").partition("/")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise _invalid("must name a bucket after the host, in lower-case letters, digits, dots and hyphens")
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        raise _invalid("must have a prefix without empty parts and dots alone")
    options = _options(parts)
    access_key, secret_key, session_token = _credentials(parts, environment)
    return Address(
        host=parts.netloc.rpartition("@")[2],
        secure=_SCHEMES[parts.scheme],
        bucket=bucket,
        prefix=f"{prefix}/" if prefix else "",
        region=options.get("region")
        or environment.get("AWS_REGION")
        or environment.get("AWS_DEFAULT_REGION")
        or _DEFAULT_REGION,
        sse=options.get("sse", ""),
        access_key=access_key,
        secret_key=secret_key,
        session_token=session_token,
    )


def _split(url: str) -> SplitResult:
    with suppress(ValueError):  # of a port that is no number, of a bracket that is not closed
        parts = urlsplit(url)
        if parts.scheme in _SCHEMES and parts.hostname and parts.port != 0 and not parts.fragment:
            return parts
    raise _invalid("must be s3:// (s3+http:// without TLS), a host, a bucket and what else it needs")


def _options(parts: SplitResult) -> Mapping[str, str]:
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    if len(options) < len(pairs) or not options.keys() <= _OPTIONS or not all(options.values()):
        raise _invalid(f"takes these options, each once and not empty: {', '.join(sorted(_OPTIONS))}")
    sse = options.get("sse", "s3")
    if not _SSE.fullmatch(sse):
        raise _invalid("must say sse=s3 for keys of the store, or sse=kms:ID for a key of its key management")
    if sse != "s3" and not _SCHEMES[parts.scheme]:
        raise _invalid("must be s3:// for sse=kms, which stores refuse without TLS")
    return options


def _credentials(parts: SplitResult, environment: Mapping[str, str]) -> tuple[str, str, str | None]:
    """Both keys from the URL, or all from the environment: a token belongs to its key."""
    if parts.username and parts.password:
        return unquote(parts.username), unquote(parts.password), None
    if parts.username or parts.password:
        raise _invalid("must have both an access key and a secret key, percent-encoded, or neither")
    access_key, secret_key = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        raise _invalid("has no keys, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set")
    return access_key, secret_key, environment.get("AWS_SESSION_TOKEN") or None


def _invalid(problem: str) -> Invalid:
    return Invalid("blobs", problem, hint=_SHAPE)
