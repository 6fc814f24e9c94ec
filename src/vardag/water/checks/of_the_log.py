"""Checks of the break log."""

import polars as pl

from vardag.core.spatial import pairs_within
from vardag.water.checks.model import CheckData, Finding, check, found, held


@check("break", "warning")
def breaks_before_installation(data: CheckData) -> Finding:
    """Breaks older than the pipe that carries their id today: the pipe that broke was replaced."""
    laid = pl.coalesce("install_date", pl.date("install_year", 1, 1)).alias("laid")
    pipes = data.pipes.select(pl.col("pipe_id").alias("asset_id"), laid).unique("asset_id", keep="first")
    on_register = data.breaks.join(pipes, on="asset_id", maintain_order="left")
    return found(on_register.filter(pl.col("break_date") < pl.col("laid"))["break_id"], on_register.height)


@check("break", "warning")
def break_details_of_later_pipe(data: CheckData) -> Finding:
    """Breaks whose pipe was laid in a later year, says the log itself: it describes the pipe of today."""
    later = pl.col("install_year") > pl.col("break_date").dt.year()
    return found(data.breaks.filter(later)["break_id"], data.breaks["install_year"].count())


@check("break", "warning")
def breaks_far_from_any_pipe(data: CheckData) -> Finding:
    """Breaks with no pipe near: wrong coordinates, or pipes that are missing from the register."""
    placed = data.breaks.filter(pl.col("geom").is_not_null())
    radius: dict[str, float] = data.parameters.value("check_far_m")
    near: set[int] = set()
    for position, distance_m in radius.items():
        pipes = data.pipes.filter((pl.col("position") == position) & pl.col("geom").is_not_null())
        near |= set(pairs_within(placed["geom"], pipes["geom"], distance_m=distance_m)["left"].to_list())
    some = data.pipes["geom"].count() > 0
    far = [row for row in range(placed.height) if row not in near] if some else []
    return found(placed["break_id"].gather(far), placed.height if some else 0, **radius)


@check("break", "warning")
def breaks_outside_record(data: CheckData) -> Finding:
    """Breaks before the record's first day or after its last: not used."""
    day = pl.col("break_date")
    early = day < data.record_start if data.record_start else pl.lit(value=False)
    late = day > data.record_end if data.record_end else pl.lit(value=False)
    values = {"start": data.record_start, "end": data.record_end}
    return found(data.breaks.filter(early | late)["break_id"], data.breaks.height, **values)


@check("break", "error")
def breaks_without_date_or_position(data: CheckData) -> Finding:
    """Breaks without a date (in quarantine for it, or left), or with neither point nor pipe id."""
    refused = held(data, "missing_date", "unreadable_date")
    nowhere = pl.col("geom").is_null() & pl.col("asset_id").is_null()
    left = data.breaks.filter(pl.col("break_date").is_null() | nowhere)["break_id"].to_list()
    return found([*refused, *left], data.breaks.height + len(refused))


@check("break", "warning")
def break_dates_on_one_day(data: CheckData) -> Finding:
    """Breaks on days that have far too many: a default date, or the day the log was typed in."""
    day = pl.col("break_date")
    turn = ((day.dt.month() == 1) & (day.dt.day() == 1)) | ((day.dt.month() == 12) & (day.dt.day() == 31))
    floor = {name: data.parameters.value(f"check_day_{name}") for name in ("breaks", "turn_breaks", "times")}
    per_day = data.breaks.drop_nulls("break_date").group_by("break_date").len()
    yearly = pl.col("len").sum().over(day.dt.year()) / 365
    least = pl.when(turn).then(floor["turn_breaks"]).otherwise(floor["breaks"])
    bulk = per_day.filter((pl.col("len") >= least) & (pl.col("len") >= floor["times"] * yearly))
    worst = bulk.sort("len", "break_date", descending=[True, False]).head(5)
    days = ", ".join(f"{when} ({rows})" for when, rows in worst.rows())
    on_them = data.breaks.join(bulk, on="break_date", how="semi", maintain_order="left")
    return found(on_them["break_id"], data.breaks.height, days=days)


@check("break", "warning")
def repeated_breaks(data: CheckData) -> Finding:
    """Breaks of the same day on the same pipe, or in the very same place, as an earlier row: one entered twice."""
    placeholders: list[str] = data.parameters.value("link_placeholder_ids")
    asset = pl.col("asset_id").str.strip_chars()
    named = asset.is_not_null() & ~asset.is_in(placeholders)
    dated = data.breaks.filter(pl.col("break_date").is_not_null())
    again = (named & ~pl.struct("break_date", asset).is_first_distinct()) | (
        pl.col("geom").is_not_null() & ~pl.struct("break_date", "geom", "event").is_first_distinct()
    )
    return found(dated.filter(again)["break_id"], dated.height)


@check("break", "warning")
def log_year_gaps(data: CheckData) -> Finding:
    """Years with far fewer breaks than a typical one: the log was not kept. Proposes the record's start."""
    years = breaks_per_year(data)
    level = typical_count(years["breaks"])
    if level < data.parameters.value("check_gap_least_breaks"):
        return Finding(0, 0, (), {"start": "?", "level": level})
    sparse = years["breaks"] < data.parameters.value("check_gap_share") * level
    start = proposed_start(years["year"].to_list(), sparse.to_list())
    inside = sparse & (years["year"] >= data.record_start.year if data.record_start else sparse)
    return found(years["year"].filter(inside), years.height, start=f"{start}-01-01", level=level)


def breaks_per_year(data: CheckData) -> pl.DataFrame:
    """Breaks of each full calendar year from the log's first to its last (or the record's end)."""
    counts = data.breaks.drop_nulls("break_date").group_by(year=pl.col("break_date").dt.year()).agg(breaks=pl.len())
    if counts.is_empty():
        return pl.DataFrame(schema={"year": pl.Int32, "breaks": pl.UInt32})
    logged, end = sorted(counts["year"].to_list()), data.record_end
    full = logged[-1] - 1 if end is None else end.year - (end.month < 12)
    calendar = pl.DataFrame({"year": range(logged[0], max(full, logged[0]) + 1)}, schema={"year": pl.Int32})
    return calendar.join(counts, on="year", how="left").with_columns(pl.col("breaks").fill_null(0)).sort("year")


def typical_count(counts: pl.Series) -> int:
    """Count of the year that a typical break lies in (median weighted by breaks: empty years do not count)."""
    ordered = counts.sort()
    reached = ordered.filter(ordered.cum_sum() >= int(counts.sum()) / 2)
    return int(reached[0]) if len(reached) else 0


def proposed_start(years: list[int], sparse: list[bool]) -> int:
    """First year that is not sparse and begins a stretch of four with at most one sparse year."""
    kept = [year for place, year in enumerate(years) if not sparse[place] and sum(sparse[place : place + 4]) <= 1]
    return kept[0] if kept else years[0]
