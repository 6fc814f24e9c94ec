"""Sources that live at an address: each kind of service has a module that turns it into a file.

What is fetched lies in ``<city folder>/.vardag-cache/<source name>/``. A fetch that was broken off goes on where it
was, and the earlier delivery stays until the new one is whole.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from vardag.core import parameters
from vardag.core.config import settings
from vardag.core.errors import ConfigError
from vardag.core.net import Client, Patience, offline_refusal
from vardag.water.city import City

if TYPE_CHECKING:
    from vardag.water.sources.delivery import Delivery

CACHE_FOLDER = ".vardag-cache"
HTTP = ("arcgis", "ogcapi", "wfs", "open311", "download")
# Services that take their token as a parameter of the query rather than in a header.
SECRET_PARAMETER = {"arcgis": "token", "open311": "api_key"}


def fetch(city: City, name: str, *, offline: bool = False) -> "Delivery":
    """Fetch what a source at an address delivers now.

    Raises
    ------
    ConfigError
        When the environment variable that shall hold the source's token is not set.
    InputError
        When the service does not answer as it should; what was fetched before stays.
    RefusedError
        When offline, or when the service points to another host.
    """
    source = city.sources[name]
    folder = cache_folder(city, name)
    if source.service not in HTTP:
        if offline or settings().offline:
            raise offline_refusal(name, source.origin)
        from_module = import_module(f"{__name__}.{source.service}")
        delivery: Delivery = getattr(from_module, f"fetch_{source.service}")(city, name, folder)
        return delivery
    with _client(city, name, offline=offline) as client:
        client.allowed(source.origin)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fetched: Delivery = import_module(f"{__name__}.{source.service}").fetch(city, name, folder, client)
        return fetched


def cache_folder(city: City, name: str) -> Path:
    """Where a source's deliveries and half-fetched pages lie."""
    return city.folder / CACHE_FOLDER / quote(name, safe="").replace(".", "%2E")


def secret_of(city: City, name: str) -> str | None:
    """Secret of a source, from the environment variable that city.toml names.

    Raises
    ------
    ConfigError
        When that variable is not set.
    """
    variable = city.sources[name].token
    if variable is None:
        return None
    if not os.environ.get(variable):
        raise ConfigError(
            f"{name}: the environment variable {variable}, which shall hold its token, is not set. Set it, or take "
            "token out of city.toml."
        )
    return os.environ[variable]


def _client(city: City, name: str, *, offline: bool) -> Client:
    source = city.sources[name]
    values = parameters.load(Path(__file__).parents[2] / "parameters.yaml")
    return Client(
        source.origin,
        about=name,
        offline=offline,
        secret=secret_of(city, name),
        secret_parameter=SECRET_PARAMETER.get(source.service or ""),
        patience=Patience(
            tries=values.value("fetch_tries"),
            backoff_s=values.value("fetch_backoff"),
            timeout_s=values.value("fetch_timeout"),
            wait_limit_s=values.value("fetch_wait_limit"),
        ),
    )
