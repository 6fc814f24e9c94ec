"""What the pipe itself is: material, age, size, and the zone it belongs to."""

import polars as pl

from vardag.water.features.catalogue import Values, feature
from vardag.water.panel import Floats, Snapshot, day_number

AS_BUILT = "as built; a replaced pipe is another pipe"
PLACED = "where the pipe lies; breaks do not move it"


def days_of(dates: pl.Series) -> Floats:
    """Dates as days since 1970, NaN where unknown."""
    return dates.cast(pl.Int32).cast(pl.Float64).fill_null(float("nan")).to_numpy()


@feature("age", "dated")
def age_years(cut: Snapshot) -> Values:
    """Years since installation; missing where the installation is unknown."""
    return (day_number(cut.as_of) - days_of(cut.lives["install_date"])) / 365.25


@feature("age", "static")
def install_year(cut: Snapshot) -> Values:
    """Year of installation: the way of building of its time."""
    return cut.lives["install_year"].cast(pl.Float64)


@feature("age", "static", category=True)
def era(cut: Snapshot) -> Values:
    """Decade of installation, such as 1950s."""
    decade = (pl.col("install_year") // 10 * 10).cast(pl.String) + "s"
    return cut.lives.select(decade.fill_null("unknown")).to_series()


@feature("material", "static", category=True)
def material(cut: Snapshot) -> Values:
    """Pipe material (canonical code)."""
    return cut.lives["material"].fill_null("UNKNOWN")


@feature("diameter", "static")
def diameter_mm(cut: Snapshot) -> Values:
    """Nominal diameter, mm."""
    return cut.lives["diameter_mm"]


@feature("length", "static")
def log_length(cut: Snapshot) -> Values:
    """Natural logarithm of the length in metres: short pieces lie at bends, valves and repairs."""
    return cut.lives["length_m"].log()


@feature("lining", "dated")
def lined_years(cut: Snapshot) -> Values:
    """Years since a dated lining; missing where unlined or where the lining has no date."""
    return (day_number(cut.as_of) - days_of(cut.lives["lined_date"])) / 365.25


@feature("cleaning", "dated")
def cleaned_years(cut: Snapshot) -> Values:
    """Years since the last dated cleaning; missing where none is dated, or where the last one came after the day.

    The register tells only the last cleaning, so in an earlier year a value also means that none has come since.
    Where mains are cleaned by plan that says nothing; where breaks lead to cleaning, leave the date unmapped.
    """
    return (day_number(cut.as_of) - days_of(cut.lives["cleaned_date"])) / 365.25


@feature("pressure", "undated", why=PLACED, category=True)
def pressure_zone(cut: Snapshot) -> Values:
    """Pressure zone."""
    return cut.lives["pressure_zone"]


@feature(
    "pressure",
    "undated",
    needs=("pressure_zone", "road"),
    why="height and zone decide it; breaks do not change the zone's level",
)
def pressure_m(cut: Snapshot) -> Values:
    """Typical pressure of the zone it lies in, metres of water."""
    return cut.lives["pressure_m"].cast(pl.Float64)


@feature("function", "undated", why=AS_BUILT, category=True)
def function(cut: Snapshot) -> Values:
    """Main, trunk or service."""
    return cut.lives["function"]
