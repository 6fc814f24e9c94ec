"""The validated ``city.toml``: what the city's files are called, what their columns mean, where the city lies.

`City.read` checks everything that can be checked without opening the sources, and reports every fault at once,
each with its line and its cure.
"""

from vardag.water.city.model import ColumnMap, GeometryMap, Source
from vardag.water.city.reading import CITY_FILE, DATABASE_FILE, City, did_you_mean
from vardag.water.city.semantics import SUFFIXES, matches

__all__ = [
    "CITY_FILE",
    "DATABASE_FILE",
    "SUFFIXES",
    "City",
    "ColumnMap",
    "GeometryMap",
    "Source",
    "did_you_mean",
    "matches",
]
