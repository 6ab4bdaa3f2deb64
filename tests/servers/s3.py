"""A real S3 server: OpenStack Swift, in a process of its own, with its files in memory where that is possible."""

import atexit
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from threading import Timer

from attrs import frozen
from minio import Minio

from tests.servers.swift_process import ACCESS_KEY, REGION, SECRET_KEY

ROOT = Path(__file__).parents[2]
PATIENCE = 60


@frozen
class S3Server:
    """A server with one bucket."""

    port: int
    bucket: str

    def client(self) -> Minio:
        """The owner's."""
        return Minio(
            f"127.0.0.1:{self.port}", access_key=ACCESS_KEY, secret_key=SECRET_KEY, secure=False, region=REGION
        )

    def url(self, *, key: str = ACCESS_KEY, secret: str = SECRET_KEY, bucket: str = "", prefix: str = "") -> str:
        """A new prefix of the bucket, with right keys, unless told otherwise."""
        place = f"{bucket or self.bucket}/{prefix or token_hex(8)}"
        return f"s3+http://{key.replace(':', '%3A')}:{secret}@127.0.0.1:{self.port}/{place}?region={REGION}"


@cache
def shared_s3() -> S3Server:
    """One server for all tests of this process; it ends with it."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_s3())


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """A new, empty server."""
    if find_spec("swift") is None:
        raise RuntimeError("The S3 tests need OpenStack Swift: pip install 'swift>=2.38'")
    with tempfile.TemporaryDirectory(dir=_scratch(), ignore_cleanup_errors=True) as directory:
        log = Path(directory) / "log"
        with log.open("wb") as stderr, _process(directory, stderr.fileno()) as process:
            assert process.stdout is not None
            giving_up = Timer(PATIENCE, process.kill)
            giving_up.start()
            line = process.stdout.readline()
            giving_up.cancel()
            if not line:
                raise RuntimeError(f"Swift did not start:\n{log.read_text()}")
            server = S3Server(int(line), "blobs")
            server.client().make_bucket(server.bucket)
            yield server


@contextmanager
def _process(directory: str, stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    """It ends when the pipe to it is closed, as it is however this process ends."""
    command = [sys.executable, "-m", "tests.servers.swift_process", directory]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=_quiet()
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _quiet() -> dict[str, str]:
    """This environment; Swift is not ours to be warned about."""
    return {**os.environ, "PYTHONWARNINGS": "ignore"}


def _scratch() -> str | None:
    """Memory, if its files may have the attributes that Swift keeps with its objects; else the usual place."""
    directory = "/dev/shm"
    try:
        with tempfile.NamedTemporaryFile(dir=directory) as file:
            os.setxattr(file.fileno(), "user.swift.probe", b"x")
    except (OSError, AttributeError):
        return None
    return directory
