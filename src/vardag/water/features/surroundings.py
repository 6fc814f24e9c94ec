"""What lies around the pipe: road, traffic, soil and the height of the ground."""

import polars as pl

from vardag.water.features.catalogue import Values, feature
from vardag.water.panel import Snapshot

ROADS = "the road was there before; traffic and class do not follow pipe breaks"
GROUND = "the ground was there before; a pipe that is gone has the height of the one that lies there now"


@feature("traffic", "undated", needs=("road",), why=ROADS, category=True)
def road_class(cut: Snapshot) -> Values:
    """Class of the road it lies in."""
    return cut.lives["road_class"]


@feature("traffic", "undated", needs=("road",), why=ROADS)
def aadt(cut: Snapshot) -> Values:
    """Annual average daily traffic, vehicles a day."""
    return cut.lives["aadt"].cast(pl.Float64)


@feature("traffic", "undated", needs=("road",), why=ROADS)
def speed_kmh(cut: Snapshot) -> Values:
    """Speed limit of the road, km/h."""
    return cut.lives["speed_kmh"].cast(pl.Float64)


@feature("traffic", "undated", needs=("road",), why=ROADS)
def bus(cut: Snapshot) -> Values:
    """1 where a bus line runs in the road, else 0."""
    return cut.lives["bus"].cast(pl.Float64)


@feature("traffic", "undated", needs=("road",), why=ROADS)
def truck(cut: Snapshot) -> Values:
    """1 where heavy trucks may drive, else 0."""
    return cut.lives["truck"].cast(pl.Float64)


@feature("soil", "undated", needs=("soil", "road"), why="soil does not change with breaks", category=True)
def soil_class(cut: Snapshot) -> Values:
    """Soil class at the middle of the pipe."""
    return cut.lives["soil_class"].cast(pl.String)


@feature("elevation", "undated", needs=("elevation", "road"), why=GROUND)
def elevation_m(cut: Snapshot) -> Values:
    """Mean height of the ground along the pipe, m."""
    return cut.lives["elevation_m"]


@feature("elevation", "undated", needs=("elevation", "road"), why=GROUND)
def elevation_span_m(cut: Snapshot) -> Values:
    """Highest less lowest ground along the pipe, m: the slope it lies in."""
    return cut.lives["elevation_max_m"] - cut.lives["elevation_min_m"]
