"""Layers with one kind of fault each, for the checks of what lies around the pipes."""

from datetime import date

import polars as pl
import shapely

from registers import point
from vardag.water.schema import DELIVERED

TYPES = {
    "TEXT": pl.String, "DOUBLE": pl.Float64, "INTEGER": pl.Int32, "BIGINT": pl.Int64, "DATE": pl.Date,
    "BOOLEAN": pl.Boolean, "GEOMETRY": pl.Binary,
}  # fmt: skip
DAY = date(2010, 5, 4)
AHEAD = date(2999, 1, 1)


def layer(name: str, *rows: dict[str, object]) -> dict[str, pl.DataFrame]:
    """One table with rows; ids are numbers from 1 where none is told."""
    table = DELIVERED[name]
    empty: dict[str, object] = dict.fromkeys(table.names)
    told = [empty | {table.key: str(number), "source": name} | row for number, row in enumerate(rows, start=1)]
    schema = {column.name: TYPES[column.type] for column in table.columns}
    return {name: pl.DataFrame(told, schema=schema, orient="row")}


def square(x: float, side: float = 10.0) -> bytes:
    return shapely.to_wkb(shapely.box(x, 0, x + side, side))


BOW = shapely.to_wkb(shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]))

# Check to layers, rows found. The pipe of the register lies from (0, 0) to (100, 0), id "a".
LAYER_FAULTS: dict[str, tuple[dict[str, pl.DataFrame], int]] = {
    "dates_in_future": (
        layer("report", {"reported_on": DAY}, {"reported_on": AHEAD}) | layer("weather", {"day": AHEAD})
        | layer("works", {"starts_on": AHEAD}),
        2,
    ),
    "impossible_fitting_diameter": (
        layer("valve", {"diameter_mm": 6.0}, {"diameter_mm": 150.0}, {})
        | layer("hydrant", {"diameter_mm": 1000.0}),
        2,
    ),
    "impossible_fitting_year": (
        layer("hydrant", {"install_year": 1066}, {"install_year": 1960}, {})
        | layer("service", {"install_year": 2999}),
        2,
    ),
    "impossible_pressure": (
        layer("pressure", {"pressure_m": 520.0}, {"pressure_m": 52.0},
              {"pressure_m": 50.0, "pressure_min_m": 60.0, "pressure_max_m": 55.0})
        | layer("pressure_zone", {"pressure_m": -1.0}, {}),
        3,
    ),
    "impossible_temperature": (
        layer("weather", {"temperature_c": 9999.0}, {"temperature_c": -20.0, "temperature_min_c": -25.0},
              {"temperature_c": -20.0, "temperature_min_c": -10.0}, {"frost_depth_m": 12.0}),
        3,
    ),
    "repeated_weather_days": (
        layer("weather", {"station": "A", "day": DAY}, {"station": "B", "day": DAY}, {"station": "A", "day": DAY}),
        1,
    ),
    "ends_before_start": (
        layer("works", {"starts_on": AHEAD, "ends_on": DAY}, {"starts_on": DAY, "ends_on": AHEAD}, {"ends_on": DAY})
        | layer("report", {"reported_on": DAY, "closed_on": date(2010, 5, 3)}),
        2,
    ),
    "impossible_elevation": (
        layer("elevation", {"pipe_id": "a", "elevation_m": -9999.0}, {"pipe_id": "a", "elevation_m": 12.0}),
        1,
    ),
    "impossible_traffic": (layer("road", {"aadt": 3e6}, {"aadt": 800.0, "speed_kmh": 50.0}, {"speed_kmh": 0.0}), 2),
    "negative_amounts": (
        layer("service", {"customers": -1.0}, {"customers": 0.0}, {}) | layer("dma", {"night_flow_m3h": -0.1}),
        2,
    ),
    "rows_of_unknown_pipes": (
        layer("service", {"pipe_id": "a"}, {"pipe_id": "gone"}, {}) | layer("elevation", {"pipe_id": "gone"}),
        2,
    ),
    "fittings_far_from_any_pipe": (
        layer("valve", {"geom": point(50, 3)}, {"geom": point(50, 40)}, {})
        | layer("hydrant", {"geom": point(50, 25)}),
        1,
    ),
    "fittings_in_one_place": (
        layer("valve", {"geom": point(5, 0)}, {"geom": point(5.001, 0)}, {"geom": point(5.1, 0)}, {}),
        1,
    ),
    "layers_far_from_the_network": (
        layer("building", {"geom": square(5e6)}, {"geom": square(900)}, {})
        | layer("weather", {"geom": point(9e5, 0)}),
        1,
    ),
    "zones_overlap": (
        layer("dma", {"geom": square(0)}, {"geom": square(10)}, {"geom": square(19)}, {"geom": square(40)}),
        1,
    ),
    "areas_that_cross_themselves": (layer("soil", {"geom": BOW}, {"geom": square(0)}, {}), 1),
}  # fmt: skip
