"""Checks of values in the layers around the pipes: dates, sizes, amounts and ids."""

from collections.abc import Iterable

import polars as pl

from vardag.water.checks.model import CheckData, Finding, check, found

KEYS = {
    "valve": "valve_id",
    "hydrant": "hydrant_id",
    "service": "service_id",
    "pressure_zone": "zone_id",
    "dma": "dma_id",
    "pressure": "pressure_id",
    "road": "road_id",
    "rail": "rail_id",
    "soil": "soil_id",
    "land_use": "land_use_id",
    "building": "building_id",
    "elevation": "pipe_id",
    "weather": "weather_id",
    "works": "works_id",
    "report": "report_id",
}
PAST = {  # days that must have been; planned works may lie ahead
    "valve": ("install_date",),
    "pressure": ("measured_on",),
    "weather": ("day",),
    "report": ("reported_on", "closed_on"),
}
NEVER_NEGATIVE = {
    "service": ("customers", "consumption_m3"),
    "dma": ("night_flow_m3h", "connections"),
    "road": ("aadt", "width_m"),
}
ID_COLUMNS = {"pipe": "pipe_id", "break": "break_id", **KEYS}


def wrong(data: CheckData, rules: Iterable[tuple[str, pl.Expr]], **values: object) -> Finding:
    """Rows of each layer for which its rule holds, as ``table id``; a rule that is null does not hold."""
    ids: list[str] = []
    total = 0
    for table, rule in rules:
        frame = data.layers.get(table)
        if frame is not None and frame.height:
            bad = frame.filter(rule.fill_null(value=False))[KEYS[table]]
            ids += [f"{table} {value}" for value in bad]
            total += frame.height
    return found(ids, total, **values)


def _outside(column: str, limits: list[float]) -> pl.Expr:
    return ~pl.col(column).is_between(limits[0], limits[1])


@check("break, valve, pressure, weather, report", "error")
def dates_in_future(data: CheckData) -> Finding:
    """Days that have not been yet: breaks, installations, readings and reports."""
    ahead = [(table, pl.any_horizontal(pl.col(day) > data.today for day in days)) for table, days in PAST.items()]
    layers = wrong(data, ahead)
    breaks = data.breaks.filter(pl.col("break_date") > data.today)["break_id"]
    ids = [*(f"break {value}" for value in breaks), *layers.ids]
    return found(ids, data.breaks.height + layers.total, today=data.today)


@check("valve, hydrant, service", "warning")
def impossible_fitting_diameter(data: CheckData) -> Finding:
    """Valves, hydrants and services of a size that none has."""
    limits: dict[str, list[float]] = data.parameters.value("check_fitting_diameter_mm")
    told = ", ".join(f"{table} {low:g}-{high:g}" for table, (low, high) in limits.items())
    return wrong(data, [(table, _outside("diameter_mm", span)) for table, span in limits.items()], limits=told)


@check("valve, hydrant, service", "error")
def impossible_fitting_year(data: CheckData) -> Finding:
    """Valves, hydrants and services laid before there were water mains, or in years to come."""
    span = [data.parameters.value("check_first_install_year"), data.today.year + 1]
    rules = [(table, _outside("install_year", span)) for table in ("valve", "hydrant", "service")]
    return wrong(data, rules, first_year=span[0], last_year=span[1])


@check("pressure, pressure_zone", "error")
def impossible_pressure(data: CheckData) -> Finding:
    """Pressures that no distribution network has, or a lowest above the highest: another unit, or a dead sensor."""
    span: list[float] = data.parameters.value("check_pressure_m")
    columns = ("pressure_m", "pressure_min_m", "pressure_max_m")
    apart = pl.col("pressure_min_m") > pl.col("pressure_max_m")
    reading = pl.any_horizontal([apart, *(_outside(column, span) for column in columns)])
    rules = [("pressure", reading), ("pressure_zone", _outside("pressure_m", span))]
    return wrong(data, rules, least=span[0], most=span[1])


@check("weather", "error")
def impossible_temperature(data: CheckData) -> Finding:
    """Temperatures and frost depths that no city has; 9999 and the like stand for no reading."""
    span: list[float] = data.parameters.value("check_temperature_c")
    frost: list[float] = data.parameters.value("check_frost_depth_m")
    cold = [_outside(column, span) for column in ("temperature_c", "temperature_min_c")]
    lower = pl.col("temperature_min_c") > pl.col("temperature_c")
    rule = pl.any_horizontal([*cold, lower, _outside("frost_depth_m", frost)])
    return wrong(data, [("weather", rule)], least=span[0], most=span[1], frost=frost[1])


@check("weather", "warning")
def repeated_weather_days(data: CheckData) -> Finding:
    """Days that a station has more than once."""
    return wrong(data, [("weather", ~pl.struct("station", "day").is_first_distinct())])


@check("works, report", "error")
def ends_before_start(data: CheckData) -> Finding:
    """Works that end before they start, and reports closed before they came in."""
    works, report = pl.col("ends_on") < pl.col("starts_on"), pl.col("closed_on") < pl.col("reported_on")
    return wrong(data, [("works", works), ("report", report)])


@check("elevation", "warning")
def impossible_elevation(data: CheckData) -> Finding:
    """Ground heights that no city has, or a lowest point above the highest."""
    span: list[float] = data.parameters.value("check_elevation_m")
    columns = ("elevation_m", "elevation_min_m", "elevation_max_m")
    apart = pl.col("elevation_min_m") > pl.col("elevation_max_m")
    rule = pl.any_horizontal([apart, *(_outside(column, span) for column in columns)])
    return wrong(data, [("elevation", rule)], least=span[0], most=span[1])


@check("road", "warning")
def impossible_traffic(data: CheckData) -> Finding:
    """Traffic or speed limits that no street has."""
    spans: dict[str, list[float]] = data.parameters.value("check_traffic")
    rule = pl.any_horizontal(_outside(column, span) for column, span in spans.items())
    return wrong(data, [("road", rule)], most=spans["aadt"][1], fastest=spans["speed_kmh"][1])


@check("service, dma, road", "error")
def negative_amounts(data: CheckData) -> Finding:
    """Customers, consumption, flow, connections, traffic and widths below zero."""
    rules = [
        (table, pl.any_horizontal(pl.col(name) < 0 for name in names)) for table, names in NEVER_NEGATIVE.items()
    ]
    return wrong(data, rules)


@check("service, elevation", "warning")
def rows_of_unknown_pipes(data: CheckData) -> Finding:
    """Services and heights that name a pipe the register does not have."""
    known = data.pipes["pipe_id"].drop_nulls().implode()
    stranger = pl.col("pipe_id").is_not_null() & ~pl.col("pipe_id").is_in(known)
    return wrong(data, [("service", stranger), ("elevation", stranger)])


@check("all", "error")
def same_ids_in_two_sources(data: CheckData) -> Finding:
    """Rows refused because another source of the same table has their id: two id spaces, or one row twice."""
    refused = data.quarantine.filter(pl.col("reason") == "duplicate_id")
    named = refused.select("source", named=pl.col("detail")).unique(maintain_order=True)
    holders = pl.concat([_holders(frame, name) for name, frame in _tables(data)])
    both = named.join(holders, on="named", how="left", maintain_order="left").filter(
        pl.col("holder") != pl.col("source")
    )
    pairs = both.group_by("holder", "source").len().sort("len", "holder", "source", descending=[True, False, False])
    told = ", ".join(f"{holder} + {source} ({rows})" for holder, source, rows in pairs.head(5).rows())
    return found(both["named"], sum(frame.height for _, frame in _tables(data)) + refused.height, pairs=told)


def _tables(data: CheckData) -> list[tuple[str, pl.DataFrame]]:
    return [("pipe", data.pipes), ("break", data.breaks), *((k, v) for k, v in data.layers.items() if k in KEYS)]


def _holders(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Which source holds each id, written as the quarantine writes it."""
    key = ID_COLUMNS[table]
    return frame.select(named=pl.format("{} {}", pl.lit(key), pl.col(key)), holder="source")
