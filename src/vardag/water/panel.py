"""Pipe-years as of a date: who was in the ground and under observation, and what happened in the year after.

Time honesty is built in here. A `Snapshot` holds the pipes of the risk set and the breaks known on `as_of`, and
nothing later; features are computed from a snapshot alone, so they cannot see the future. Labels are added
apart, by `labels`, from the day after.

- Left truncation: a pipe enters when it is both in the ground and under observation (`known_from`).
- Right censoring: retirement and the record's end shorten the window that counts (`exposure_years`).
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.core.parameters import Parameters
from vardag.core.spatial import covering, midpoints, nearest_within, pairs_within
from vardag.water.joints import joints
from vardag.water.winters import WinterDays, winter_of

NEIGHBOUR_RADIUS_M = 300.0
ROAD_COLUMNS = ("road_class", "aadt", "speed_kmh", "truck", "bus", "width_m")
HEIGHTS = ("elevation_m", "elevation_min_m", "elevation_max_m")
NO_POLICY = Parameters(Path("parameters.yaml"), {})

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Pressures:
    """Pressures measured at points, and which pipes lie near those points.

    Attributes
    ----------
    readings
        One row per dated measurement, oldest first: ``point``, ``day`` (days since 1970-01-01), ``pressure_m`` and
        ``swing_m``, the day's highest less its lowest. Points are numbered as they first appear, so that one that
        appears later changes no number. A sensor that was moved is another point.
    near
        Pairs of ``life`` and ``point`` within the policy's distance, each life's nearest point first.
    recent_years
        How long a measurement counts as recent.
    """

    readings: pl.DataFrame
    near: pl.DataFrame
    recent_years: int

    def until(self, as_of: date) -> "Pressures":
        """What had been measured on `as_of`, and the points that were known by then."""
        known = int(np.searchsorted(self.readings["day"].to_numpy(), day_number(as_of), side="right"))
        readings = self.readings.head(known)
        points = readings["point"].n_unique()
        return replace(self, readings=readings, near=self.near.filter(pl.col("point") < points))


NO_PRESSURES = Pressures(
    readings=pl.DataFrame(
        schema={"point": pl.UInt32, "day": pl.Int32, "pressure_m": pl.Float64, "swing_m": pl.Float64}
    ),
    near=pl.DataFrame(schema={"life": pl.UInt32, "point": pl.UInt32}),
    recent_years=0,
)


@dataclass(frozen=True)
class Network:
    """A city's pipe lives and main breaks, joined with what lies around them. Rows are addressed by number.

    Attributes
    ----------
    lives
        One row per pipe life (contract of `vardag.water.life`), with the road, soil, pressure and height columns
        joined on, ``x``, ``y`` of its midpoint in metres, and ``own_line``: whether its geometry is its own.
    breaks
        One row per break, oldest first: ``break_date``, ``life`` (row in `lives`, -1 unlinked), ``day`` (days since
        1970-01-01).
    near
        Pairs of ``life`` and ``break`` at most 300 m apart, ordered by break, never a pipe with its own break.
    joined
        Pairs of ``life`` and ``other`` that share a joint, both directions, see `vardag.water.joints`.
    record_start, record_end
        First and last day that the log covers.
    winters
        What each day adds to the winter of its label window; for labels alone, no snapshot holds it.
    pressures
        What was measured near the pipes.
    """

    lives: pl.DataFrame
    breaks: pl.DataFrame
    near: pl.DataFrame
    joined: pl.DataFrame
    record_start: date
    record_end: date
    winters: WinterDays | None = None
    pressures: Pressures = NO_PRESSURES


@dataclass(frozen=True)
class Snapshot:
    """What is known on `as_of`: the risk set's lives, and the breaks and pressures up to that day.

    ``rows[i]`` is the row in the network of the snapshot's pipe ``i``; ``place`` is its inverse (-1: not in the
    risk set). `breaks` and `near` are prefixes of the network's, so they end on `as_of`. `joined` holds the pairs
    of the risk set with each other and with pipes that were gone by then.
    """

    as_of: date
    rows: Rows
    place: Rows
    lives: pl.DataFrame
    breaks: pl.DataFrame
    near: pl.DataFrame
    joined: pl.DataFrame
    record_start: date
    pressures: Pressures = NO_PRESSURES

    @property
    def size(self) -> int:
        """Number of pipes in the risk set."""
        return int(self.rows.size)

    def break_ages(self) -> Floats:
        """Age of each known break in years."""
        return (day_number(self.as_of) - self.breaks["day"].to_numpy()) / 365.25


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def build_network(
    *,
    lives: pl.DataFrame,
    breaks: pl.DataFrame,
    links: pl.DataFrame,
    record_start: date,
    record_end: date,
    roads: pl.DataFrame | None = None,
    soil: pl.DataFrame | None = None,
    zones: pl.DataFrame | None = None,
    winters: WinterDays | None = None,
    heights: pl.DataFrame | None = None,
    readings: pl.DataFrame | None = None,
    parameters: Parameters = NO_POLICY,
) -> Network:
    """Join lives with what lies around them, breaks with their lives, and find the breaks near each pipe.

    Parameters
    ----------
    lives, breaks, links
        Frames of `vardag.water.life`, the ``break`` table (label events only) and `vardag.water.linking`.
    winters
        From the table ``weather``, see `vardag.water.winters`.
    roads, soil, zones, heights, readings
        The tables ``road``, ``soil``, ``pressure_zone``, ``elevation`` and ``pressure``, or None where the city has
        none.
    parameters
        Policy numbers; `heights` and `readings` need them.
    """
    x, y = midpoints(lives["geom"])
    own_line, joined = joints(lives, roads)
    placed = lives.with_columns(own_line, x=x, y=y).pipe(_with_roads, roads)
    placed = _with_area(placed, soil, "soil_class")
    placed = _with_area(placed, zones, "pressure_m")
    placed = _with_heights(placed, heights, parameters)
    dated = _number_breaks(breaks, links, lives)
    near = _near(placed, dated)
    columns = [name for name in dated.columns if name != "geom"]
    pressures = _pressures(lives, readings, parameters)
    return Network(placed, dated.select(columns), near, joined, record_start, record_end, winters, pressures)


def _number_breaks(breaks: pl.DataFrame, links: pl.DataFrame, lives: pl.DataFrame) -> pl.DataFrame:
    numbered = lives.select("pipe_key", life=pl.int_range(pl.len(), dtype=pl.Int64))
    return (
        breaks.join(links.select("break_id", "pipe_key"), on="break_id", how="left")
        .join(numbered, on="pipe_key", how="left")
        .with_columns(pl.col("life").fill_null(-1), day=pl.col("break_date").cast(pl.Int32))
        .sort("day", "break_id")
    )


def _near(lives: pl.DataFrame, breaks: pl.DataFrame) -> pl.DataFrame:
    pairs = pairs_within(breaks["geom"], lives["geom"], distance_m=NEIGHBOUR_RADIUS_M)
    own = pl.Series(breaks["life"].to_numpy()[pairs["left"].to_numpy()])
    named = pairs.rename({"left": "break", "right": "life"}).select("life", "break", "distance_m")
    return named.filter(own != pl.col("life").cast(pl.Int64))


def _with_roads(lives: pl.DataFrame, roads: pl.DataFrame | None) -> pl.DataFrame:
    if roads is None or not roads.height:
        return lives.with_columns(pl.lit(None).alias(name) for name in ROAD_COLUMNS)
    wanted = roads.unique("road_id", keep="first").select("road_id", *ROAD_COLUMNS)
    return lives.join(wanted, on="road_id", how="left", maintain_order="left")


def _with_area(lives: pl.DataFrame, areas: pl.DataFrame | None, column: str) -> pl.DataFrame:
    if areas is None or not areas.height:
        return lives.with_columns(pl.lit(None).alias(column))
    import shapely  # noqa: PLC0415 - only cities with area layers need it here

    known = np.isfinite(lives["x"].to_numpy())
    points = np.full(lives.height, None, dtype=object)
    points[known] = shapely.to_wkb(shapely.points(lives["x"].to_numpy()[known], lives["y"].to_numpy()[known]))
    row = covering(points, areas["geom"])
    values = areas[column].gather(np.where(row >= 0, row, 0))
    return lives.with_columns(pl.when(pl.Series(row >= 0)).then(values).alias(column))


def _with_heights(lives: pl.DataFrame, heights: pl.DataFrame | None, parameters: Parameters) -> pl.DataFrame:
    """Height of the ground by pipe; one that the register no longer has takes that of the nearest pipe.

    Heights are read along today's register. A pipe that is gone would lack them, and the lack would tell that it
    was to break: so it is given those of the pipe that lies there now.
    """
    if heights is None or not heights.height:
        return lives.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in HEIGHTS)
    wanted = heights.unique("pipe_id", keep="first", maintain_order=True).select("pipe_id", *HEIGHTS)
    own = lives.join(wanted, left_on="pipe_key", right_on="pipe_id", how="left", maintain_order="left")
    known = own["elevation_m"].is_not_null().to_numpy()
    givers, takers = np.flatnonzero(known), np.flatnonzero(~known)
    reach = float(parameters.value("elevation_from_m"))
    found = nearest_within(lives["geom"].gather(takers), lives["geom"].gather(givers), distance_m=reach)
    rows = np.arange(lives.height)
    rows[takers[found["left"].to_numpy()]] = givers[found["right"].to_numpy()]
    return lives.hstack(own.select(HEIGHTS)[rows])


def _pressures(lives: pl.DataFrame, readings: pl.DataFrame | None, parameters: Parameters) -> Pressures:
    """Number the points that were measured on a known day, and find those near each pipe."""
    if readings is None or not readings.height:
        return NO_PRESSURES
    site = ["point_id", "geom"]
    dated = readings.drop_nulls(["geom", "measured_on"]).sort("measured_on", *site, maintain_order=True)
    points = dated.select(site).unique(maintain_order=True).with_row_index("point")
    numbered = dated.join(points, on=site, how="left", nulls_equal=True, maintain_order="left").select(
        "point",
        "pressure_m",
        day=pl.col("measured_on").cast(pl.Int32),
        swing_m=pl.col("pressure_max_m") - pl.col("pressure_min_m"),
    )
    pairs = pairs_within(lives["geom"], points["geom"], distance_m=float(parameters.value("pressure_point_m")))
    near = pairs.sort("left", "distance_m", "right").select(life="left", point="right")
    return Pressures(numbered, near, int(parameters.value("pressure_recent_years")))


def risk_set(network: Network, as_of: date) -> Rows:
    """Rows of the lives in the ground and under observation on `as_of`, those retired since included."""
    in_ground = pl.col("retired_date").is_null() | (pl.col("retired_date") > as_of)
    alive = network.lives.select(_known(as_of) & in_ground).to_series()
    return np.flatnonzero(alive.to_numpy()).astype(np.int64)


def _known(as_of: date) -> pl.Expr:
    laid = pl.col("install_date").is_null() | (pl.col("install_date") <= as_of)
    return (pl.col("known_from") <= as_of) & laid


def snapshot(network: Network, as_of: date) -> Snapshot:
    """Cut the network at `as_of`: nothing dated later is in the result."""
    rows = risk_set(network, as_of)
    place = np.full(network.lives.height, -1, dtype=np.int64)
    place[rows] = np.arange(rows.size)
    known = int(np.searchsorted(network.breaks["day"].to_numpy(), day_number(as_of), side="right"))
    pairs = int(np.searchsorted(network.near["break"].to_numpy(), known, side="left"))
    return Snapshot(
        as_of=as_of,
        rows=rows,
        place=place,
        lives=_as_known(network.lives[rows], as_of),
        breaks=network.breaks.head(known),
        near=network.near.head(pairs),
        joined=_joined(network, place, as_of),
        record_start=network.record_start,
        pressures=network.pressures.until(as_of),
    )


def _joined(network: Network, place: Rows, as_of: date) -> pl.DataFrame:
    """Pairs of a pipe in the risk set with one that is, or was, under observation."""
    met = network.lives.select(_known(as_of)).to_series().to_numpy()
    return network.joined.filter((place >= 0)[network.joined["life"]] & met[network.joined["other"]])


def _as_known(lives: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Take away what was not known yet: when a pipe will be retired, and linings and cleanings still to come.

    Only the last cleaning is known, so a pipe cleaned after `as_of` looks as if it never was before: the honest
    side, for less is told than was known then. `vardag.water.features.pipe.cleaned_years` says what remains.
    """
    done = [pl.when(pl.col(name) <= as_of).then(name).alias(name) for name in ("lined_date", "cleaned_date")]
    return lives.drop("retired_date").with_columns(done)


def labels(network: Network, cut: Snapshot) -> pl.DataFrame:
    """What happened after `as_of` to the pipes of a snapshot.

    Returns
    -------
    Frame in the snapshot's order: ``exposure_years`` (share of the one-year window observed), ``breaks`` (Int32, in
    that window), ``breaks_3y`` (Int32; null where the three years are not wholly inside the record) and the figures
    of the window's winter (null where they are not known; the same for every pipe).
    """
    year, three = years_after(cut.as_of, 1), years_after(cut.as_of, 3)
    retired = network.lives["retired_date"].gather(cut.rows)
    frame = pl.DataFrame({"retired": retired}).select(
        end=pl.min_horizontal(pl.col("retired").fill_null(year), pl.lit(year), pl.lit(network.record_end))
    )
    days = frame["end"].cast(pl.Int32).to_numpy() - day_number(cut.as_of)
    exposure = np.clip(days / (day_number(year) - day_number(cut.as_of)), 0.0, 1.0)
    whole = pl.lit(three <= network.record_end)
    return pl.DataFrame(
        {"exposure_years": exposure, "breaks": _count(network, cut, year), "breaks_3y": _count(network, cut, three)}
    ).with_columns(
        pl.when(whole).then("breaks_3y"),
        *(
            pl.lit(value, dtype=pl.Float64).alias(name)
            for name, value in winter_of(network.winters, after=cut.as_of, to=year).items()
        ),
    )


def years_after(day: date, years: int) -> date:
    """The same day some years on; 29 February becomes 28 February."""
    return day.replace(year=day.year + years, day=min(day.day, 28) if day.month == 2 else day.day)


def _count(network: Network, cut: Snapshot, end: date) -> NDArray[np.int32]:
    last = min(end, network.record_end)
    in_window = (pl.col("break_date") > cut.as_of) & (pl.col("break_date") <= last)
    window = network.breaks.filter(in_window & (pl.col("life") >= 0))
    place = cut.place[window["life"].to_numpy()]
    return np.bincount(place[place >= 0], minlength=cut.size).astype(np.int32)


def year_ends(first: int, last: int) -> list[date]:
    """31 December of each year from `first` to `last`, both included."""
    return [date(year, 12, 31) for year in range(first, last + 1)]


def years_before(network: Network, day: date, *, history: int) -> list[date]:
    """`day` and its anniversaries before it, oldest first, that have `history` years of the record behind them."""
    first = years_after(network.record_start, history)
    back = range(day.year - network.record_start.year, 0, -1)
    earlier = (years_after(day, -years) for years in back)
    return [when for when in earlier if when >= first - timedelta(days=1)] + [day]
