"""The client's errors in our words: what is wrong in a sentence, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from xml.etree.ElementTree import ParseError

from minio.error import InvalidResponseError, MinioException, S3Error
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError

from codetether_core.errors import Unavailable

__all__ = ["translated"]

_KEYS: Final = "correct both keys in the URL or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_REGION: Final = "say region= in the URL, or name the host of the bucket's region"
_SESSION: Final = "get a new session token and start again"
_REFUSALS: Final = {
    "AccessDenied": (
        "this key may not do that",
        "let the key get, put, delete and list in this bucket and prefix; if it may, look at the keys and the clock",
    ),
    "InvalidAccessKeyId": ("it does not know the access key", _KEYS),
    "SignatureDoesNotMatch": ("the access key or the secret key is wrong", _KEYS),
    "NoSuchBucket": ("there is no such bucket", "make the bucket, or name another one"),
    "RequestTimeTooSkewed": ("this machine's clock and the store's differ too much", "set the clock"),
    "ExpiredToken": ("the session token has expired", _SESSION),
    "InvalidToken": ("the session token is wrong", _SESSION),
    "AuthorizationHeaderMalformed": ("the region is wrong", _REGION),
    "PermanentRedirect": ("the bucket is in another region", _REGION),
    "SlowDown": ("too many requests", "wait, or ask the store's operator for more"),
    "QuotaExceeded": ("it has no room", "free some space, or ask the store's operator for more"),
    "XMinioStorageFull": ("it has no room", "free some space, or ask the store's operator for more"),
    "KMS.NotFoundException": ("there is no such encryption key", "correct sse= in the URL"),
}
_SILENT: Final = "look whether it runs and the host and port are right; nothing that was accepted is lost"
_TLS: Final = (
    "write s3+http:// if it has no TLS; if a private authority signed its certificate, name that in SSL_CERT_FILE"
)
_NOT_S3: Final = "look whether the host and port are those of its S3 interface"


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise ``Unavailable`` for what the client raises inside. ``where`` is the host and bucket, without keys."""
    try:
        yield
    except S3Error as error:
        said = f"{error.code}: {error.message}"
        problem, hint = _REFUSALS.get(
            error.code or "", (said, "look the code up in the store's manual, and at its log")
        )
        raise _unavailable(where, "refused", problem, hint) from error
    except MaxRetryError as error:
        hint = _TLS if isinstance(error.reason, SSLError) else _SILENT
        raise _unavailable(where, "does not answer", str(error.reason), hint) from error
    except (InvalidResponseError, ParseError, ValueError) as error:  # no XML, or none that S3 would send
        raise _unavailable(where, "does not talk S3", "its answer cannot be read", _NOT_S3) from error
    except (MinioException, HTTPError) as error:
        raise _unavailable(where, "failed", str(error), _SILENT) from error
    except OSError as error:
        hint = "look at the directory for temporary files and the space there"
        problem = error.strerror or str(error)
        raise Unavailable(f"The temporary file of a blob failed: {problem}", hint=hint) from error


def _unavailable(where: str, what: str, problem: str, hint: str) -> Unavailable:
    return Unavailable(f"The S3 store {where} {what}: {problem}", hint=hint)
