"""Settings of the process, from the environment (prefix ``VARDAG_``); a city's own are in its city.toml."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from vardag.core.errors import ConfigError

DEFAULT_SEED = 1  # of every command that draws lots


class Settings(BaseSettings):
    """Settings read from ``VARDAG_*`` environment variables.

    Attributes
    ----------
    language
        Language of what a person sees when no city has been named.
    threads
        Threads of the database and of the model fits.
    memory_gb
        Memory that the database may use before it spills to disk.
    spatial_extension
        Path to a DuckDB spatial extension file, where the one from the wheel shall not be used; ``none`` uses
        the shapely engine.
    database
        Address of the PostGIS database where the city lives, ``postgresql://...``; None keeps it in the city
        folder's own file.
    offline
        Refuse every call to another machine.
    """

    model_config = SettingsConfigDict(env_prefix="VARDAG_", extra="ignore")

    language: Literal["sv", "en"] = "en"
    threads: int = Field(default=2, ge=1, le=256)
    memory_gb: float = Field(default=2.0, gt=0)
    spatial_extension: Path | Literal["none"] | None = None
    database: str | None = Field(default=None, pattern=r"^postgres(ql)?://")
    offline: bool = False


@cache
def settings() -> Settings:
    """Read the settings once.

    Raises
    ------
    ConfigError
        When a ``VARDAG_`` variable has a value of the wrong kind; the message names the variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "VARDAG_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError(f"{name}: {first['msg']} (found {first['input']!r}). Change or unset it.") from None
