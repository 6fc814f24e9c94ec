"""What all tests share: the same Hypothesis examples every time, and a real PostGIS where a test asks for one."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from servers.postgis import PostGIS, require, running
from vardag.core.config import settings as vardag_settings

settings.register_profile("same_every_time", derandomize=True, deadline=None)
settings.load_profile("same_every_time")


@pytest.fixture(scope="session")
def postgis() -> Iterator[PostGIS]:
    """A PostGIS server; one per worker, ended when its tests are."""
    with running(require()) as server:
        yield server


@pytest.fixture
def server(postgis: PostGIS) -> str:
    """Address of an empty database with PostGIS."""
    return postgis.fresh()


@pytest.fixture(scope="module", params=["duckdb", "postgis"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a module's tests twice: on the folder's own DuckDB file, and with ``VARDAG_DATABASE`` on a server."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "postgis":
            patch.setenv("VARDAG_DATABASE", request.getfixturevalue("postgis").fresh())
        vardag_settings.cache_clear()
        yield request.param
    vardag_settings.cache_clear()


@pytest.fixture
def both(database: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `database`, with an empty one for every test."""
    if database == "postgis":
        monkeypatch.setenv("VARDAG_DATABASE", request.getfixturevalue("server"))
        vardag_settings.cache_clear()
