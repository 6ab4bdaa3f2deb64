"""One site for the tests that only submit tasks; one each for those that break something."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deployed.environment import NotInstalled, worker_program
from tests.deployed.program import Program
from tests.deployed.sessions import keep_session
from tests.deployed.site import Site


@pytest.fixture(scope="session")
def released_worker() -> Path:
    """The unmodified program of release 1.4.3, from PyPI."""
    try:
        return worker_program()
    except NotInstalled as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="package")
def quiet_site(tmp_path_factory: pytest.TempPathFactory, released_worker: Path) -> Iterator[Site]:
    """A server and the worker ``first``, for tests that leave both as they found them."""
    with _opened(Site(tmp_path_factory.mktemp("quiet"), released_worker)) as site:
        site.serve()
        keep_session(site.home(), site.checkout)
        site.hire()
        yield site


@pytest.fixture
def site(tmp_path: Path, released_worker: Path) -> Iterator[Site]:
    """A server alone."""
    with _opened(Site(tmp_path, released_worker)) as site:
        yield site


@pytest.fixture
def server(site: Site) -> Program:
    """The site's server."""
    return site.serve()


@contextmanager
def _opened(site: Site) -> Iterator[Site]:
    try:
        yield site
    finally:
        site.close()
        sys.stderr.write(site.said())
