"""A first ``city.toml`` for a folder of files: which table each file may be, and what its columns may mean.

A guess is only a proposal; every line of it is there to be read by a person.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from vardag.core.errors import InputError
from vardag.water.city import SUFFIXES, Source
from vardag.water.city.vocabulary import fold
from vardag.water.schema import DELIVERED
from vardag.water.sources.chunk import Layer
from vardag.water.sources.numbers import parse_numbers
from vardag.water.sources.one_source import open_layer

SYNONYMS = Path(__file__).with_name("synonyms.yaml")
VECTOR_SUFFIXES = {".gpkg", ".shp", ".geojson", ".gml", ".fgb"}
FORMS = (("start_x", "start_y", "end_x", "end_y"), ("x", "y"), ("wkt",))
SWEDEN_DEGREES, SWEREF_99_TM = ((10.0, 54.9), (24.2, 69.1)), ((181_000.0, 6_090_000.0), (1_087_000.0, 7_690_000.0))


@dataclass(frozen=True)
class Guess:
    """What one file may be.

    ``table`` is None where nothing fits; ``columns`` maps the table's columns to the file's; ``missing`` are
    required columns for which no candidate was found; ``crs`` is None where it is not known; ``place`` is a
    longitude and latitude in the middle of it, where it has any.
    """

    path: str
    table: str | None
    file_columns: tuple[str, ...]
    columns: dict[str, str]
    geometry: dict[str, str]
    missing: tuple[str, ...]
    crs: str | None
    place: tuple[float, float] | None = None


def guess_folder(folder: Path) -> list[Guess]:
    """Guess every data file of a folder; files that cannot be opened are left out."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES["csv"] | VECTOR_SUFFIXES)
    found = []
    for path in files:
        try:
            found.append(guess_file(path))
        except InputError:
            continue
    return found


def guess_file(path: Path) -> Guess:
    """Guess one file from its name, its columns and its first rows."""
    layer = open_layer(path, Source(table="pipe", path=path.name))
    table = _table(path.stem, layer.columns)
    columns = _match(_words()["columns"].get(table, {}), layer.columns)
    geometry = {} if layer.has_geometry else _geometry(layer.columns, table)
    own_crs, place = (_code(layer.crs), None) if layer.has_geometry else _crs_of_columns(layer, geometry)
    required = [c.name for c in DELIVERED[table].mappable if c.required] if table else []
    return Guess(
        path=path.name,
        table=table,
        file_columns=tuple(layer.columns),
        columns=columns,
        geometry=geometry,
        missing=tuple(name for name in required if name not in columns),
        crs=own_crs,
        place=place,
    )


def city_crs(guesses: Sequence[Guess]) -> str | None:
    """A projected system for the city: one that a file is in already, else SWEREF 99 TM or a UTM zone."""
    known = [guess.crs for guess in guesses if guess.crs]
    projected = [code for code in known if CRS.from_user_input(code).is_projected]
    if projected:
        return projected[0]
    place = next((guess.place for guess in guesses if guess.place), None)
    return _projected_for(*place) if place else None


def _projected_for(lon: float, lat: float) -> str | None:
    if _within(np.array([[lon, lat]]), SWEDEN_DEGREES):
        return "EPSG:3006"
    around = AreaOfInterest(lon, lat, lon, lat)
    zones = query_utm_crs_info(datum_name="WGS 84", area_of_interest=around)
    return f"EPSG:{zones[0].code}" if zones else None


def _table(stem: str, columns: Sequence[str]) -> str | None:
    name = plain(stem)
    for table, words in _words()["tables"].items():
        if any(plain(word) in name for word in words):
            return str(table)
    hits = {table: len(_match(names, columns)) for table, names in _words()["columns"].items()}
    best = max(hits, key=lambda table: hits[table])
    return best if hits[best] >= 3 else None


def _match(names: dict[str, list[str]], columns: Sequence[str]) -> dict[str, str]:
    """Column of the file for each target; a column is used once."""
    by_name = {plain(column): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for target, listed in names.items():
        candidates = (by_name.get(plain(name)) for name in listed)
        column = next((c for c in candidates if c is not None and c not in found.values()), None)
        if column is not None:
            found[target] = column
    return found


def _geometry(columns: Sequence[str], table: str | None) -> dict[str, str]:
    found = _match(_words()["geometry"], columns)
    for form in FORMS:
        fits = form != ("x", "y") or table is None or DELIVERED[table].geometry in {"point", "any"}
        if fits and all(part in found for part in form):
            return {part: found[part] for part in form}
    return {}


def _crs_of_columns(layer: Layer, geometry: dict[str, str]) -> tuple[str | None, tuple[float, float] | None]:
    """Coordinate system of coordinates in columns, where the first rows leave no doubt, and a place in degrees."""
    parts = ("x", "y") if "x" in geometry else ("start_x", "start_y")
    if parts[0] not in geometry:
        return None, None
    wanted = [geometry[part] for part in parts]
    chunk = next(iter(layer.chunks(wanted)), None)
    if chunk is None:
        return None, None
    xy = np.column_stack([_coordinates(chunk.frame[column]) for column in wanted])
    xy = xy[np.isfinite(xy).all(axis=1)]
    if len(xy) and (np.abs(xy) <= (180, 90)).all():
        lon, lat = np.median(xy, axis=0)
        return "EPSG:4326", (float(lon), float(lat))
    return ("EPSG:3006" if len(xy) and _within(xy, SWEREF_99_TM) else None), None


def _coordinates(text: pl.Series) -> Any:
    return parse_numbers(text.head(1000), decimal=".").to_numpy()


def _within(xy: Any, box: tuple[tuple[float, float], tuple[float, float]]) -> bool:
    return bool(((xy >= box[0]) & (xy <= box[1])).all())


def _code(crs: str | None) -> str | None:
    """Authority code of a file's system, its text where it has none."""
    if crs is None:
        return None
    authority = CRS.from_user_input(crs).to_authority()
    return ":".join(authority) if authority else None


def plain(text: str) -> str:
    """Fold a name further than `fold`: without diacritics, as exports write å, ä and ö.

    >>> plain("Anläggningsår") == plain("ANLAGGNINGSAR")
    True
    """
    return fold("".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)))


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    return words
