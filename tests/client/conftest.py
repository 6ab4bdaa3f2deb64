from collections.abc import Iterator

import pytest

from tests.client.servers import fakes, hub


@pytest.fixture(scope="session", autouse=True)
def fakes_end() -> Iterator[None]:
    yield
    fakes.stop()


@pytest.fixture(scope="session")
def hub_url() -> Iterator[str]:
    with hub() as url:
        yield url
