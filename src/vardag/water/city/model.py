"""The structure of ``city.toml``, as pydantic models: unknown keys and wrong types are refused."""

import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Event = Literal["break", "leak", "service", "other"]
Secrecy = Literal["open", "internal", "protected"]
Service = Literal["arcgis", "ogcapi", "wfs", "postgis", "open311", "download"]
Scalar = str | int | float | bool | datetime.date


class Strict(BaseModel):
    """A table of city.toml: no unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ColumnMap(Strict):
    """Where a column of a table comes from.

    Attributes
    ----------
    column
        Column of the file, or None when `value` is given.
    value
        One constant for every row.
    unit
        Unit of the numbers in the file: mm, cm, dm, m, km, inch or ft.
    formats
        Date formats in Python's notation, tried in order; without them the whole column is looked at.
    timezone
        Time zone of clock times that state none, where it is not the city's.
    """

    column: str | None = None
    value: Scalar | None = None
    unit: str | None = None
    formats: list[str] | None = None
    timezone: str | None = None


class GeometryMap(Strict):
    """Columns that hold the place: a point, a line from start to end, or well-known text."""

    x: str | None = None
    y: str | None = None
    start_x: str | None = None
    start_y: str | None = None
    end_x: str | None = None
    end_y: str | None = None
    wkt: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Part of the geometry to column of the file, for the parts that are given."""
        return {part: column for part, column in self.model_dump().items() if column is not None}


def _column_map(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


class Source(Strict):
    """One file or service of the city and what it means.

    ``crs`` overrides the file's own; ``encoding`` and ``delimiter`` are found out where they are not given;
    ``where`` keeps only the rows whose column has one of the values.

    Attributes
    ----------
    path
        File in the city folder. A pattern such as ``deliveries/*.gpkg`` means the newest file that fits.
    url, service
        Address and kind of a service, instead of ``path``. Nothing is ever fetched from an address that stands not
        here.
    layer
        Layer of the file, sheet of the workbook, collection, feature type or ``schema.table`` of the service.
    filter
        Condition in the service's own language, sent along: ``where`` of ArcGIS, CQL2 text of OGC API Features,
        SQL of PostGIS, ``key=value&...`` of Open311.
    edited
        Column with the time of the last edit; later loads then ask only for what was edited since (ArcGIS).
    bbox
        West, south, east, north in degrees: fetch only what lies there.
    page_rows
        Rows asked for at a time.
    token
        Name of the environment variable that holds the service's token or password. Never the secret itself.
    preset
        Name of a ready-made mapping (``vardag water presets``); what the source says itself wins.
    """

    table: str
    path: str | None = None
    url: str | None = None
    service: Service | None = None
    layer: str | None = None
    filter: str | None = None
    edited: str | None = None
    bbox: list[float] | None = Field(default=None, min_length=4, max_length=4)
    page_rows: int | None = Field(default=None, ge=1, le=100_000)
    token: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]*$")
    preset: str | None = None
    crs: str | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Literal[".", ","] | None = None
    timezone: str | None = None
    owner: str | None = None
    contact: str | None = None
    licence: str | None = None
    secrecy: Secrecy | None = None
    date: datetime.date | None = None
    refresh_days: int | None = Field(default=None, ge=1)
    columns: dict[str, Annotated[ColumnMap, BeforeValidator(_column_map)]] = Field(default_factory=dict)
    geometry: GeometryMap | None = None
    vocabulary: dict[str, dict[str, str | bool]] = Field(default_factory=dict)
    where: dict[str, list[str | int | float | bool]] = Field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The file or the address, for messages."""
        return self.path or self.url or ""


class CitySection(Strict):
    """``[city]``: what holds for the whole city."""

    name: str = Field(min_length=1)
    crs: str
    language: Literal["sv", "en"] = "sv"
    timezone: str = "Europe/Stockholm"
    record_start: datetime.date | None = None
    record_end: datetime.date | None = None
    secrecy: Secrecy = "protected"
    synthetic: bool = False
    owner: str | None = None


class LabelSection(Strict):
    """``[labels]``: which events the model predicts."""

    events: list[Event] = Field(default=["break"], min_length=1)


class CatalogueSection(Strict):
    """``[catalogue]``: what a public catalogue (DCAT-AP-SE) must tell of the city.

    Attributes
    ----------
    uri
        Address of the catalogue; those of the datasets begin with it and never change.
    publisher
        The publisher's URI; of a Swedish authority ``http://dataportal.se/organisation/SE`` and its number.
    publisher_name
        The owner in ``[city]`` unless given.
    email
        Address of a function, not of a person.
    spatial
        URI of the place, from GeoNames or the EU.
    access
        Public address of the data, by source. No source's own address or file is ever made public.
    licences
        URI of a licence, by its name in the sources, for those that Vardag does not know.
    """

    uri: str = Field(pattern=r"^https?://[^\s<>\"@?#]+$")
    publisher: str = Field(pattern=r"^https?://[^\s<>\"@]+$")
    email: str = Field(pattern=r"^[^@\s<>\"]+@[^@\s<>\"]+$")
    publisher_name: str | None = None
    landing_page: str | None = Field(default=None, pattern=r"^https?://[^\s<>\"@]+$")
    spatial: str | None = Field(default=None, pattern=r"^https?://[^\s<>\"@]+$")
    access: dict[str, str] = Field(default_factory=dict)
    licences: dict[str, str] = Field(default_factory=dict)


class CityFile(Strict):
    """The whole file."""

    city: CitySection
    catalogue: CatalogueSection | None = None
    labels: LabelSection = LabelSection()
    sources: dict[str, Source] = Field(min_length=1)


def model_at(loc: tuple[str, ...]) -> type[Strict] | None:
    """Model of the table at a path of the file; None where any key is allowed."""
    if not loc:
        return CityFile
    sections: dict[str, type[Strict]] = {"city": CitySection, "labels": LabelSection, "catalogue": CatalogueSection}
    if loc[0] != "sources":
        return sections.get(loc[0])
    inner: dict[str, type[Strict]] = {"columns": ColumnMap, "geometry": GeometryMap}
    if len(loc) == 2:
        return Source
    wanted = {"columns": 4, "geometry": 3}
    return inner.get(loc[2]) if len(loc) > 2 and len(loc) == wanted.get(loc[2]) else None
