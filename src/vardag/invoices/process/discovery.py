"""Counts what an event log says of the routine. Pure functions: a frame of events in order in, a frame out.

The frame is `log.EventLog.events`: in order of case, time and line. *Directly follows* is van der Aalst's: b
follows a where b is the next event of the same case (Process Mining, Springer 2011, definition 5.3).
Nothing here tells of a person: resources are counted as hands of a case, or as groups that are large enough.
"""

from dataclasses import dataclass

import polars as pl

from vardag.core.parameters import Parameters
from vardag.invoices.process.log import EventLog

HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Spread:
    """Quartiles and ninth decile in hours; None where there are too few observations for them, or none."""

    n: int
    q1: float | None = None
    median: float | None = None
    q3: float | None = None
    p90: float | None = None


@dataclass(frozen=True)
class Hands:
    """Hand-overs and distinct hands in a case, over the cases where every event has a resource."""

    cases: int
    unknown_cases: int
    one_hand: int
    handovers: int
    mean_hands: float | None


@dataclass(frozen=True)
class Found:
    """All that was found; see the function of each field's name."""

    cases: int
    events: int
    variants: pl.DataFrame
    follows: pl.DataFrame
    activities: pl.DataFrame
    rework_cases: int
    throughput: Spread
    hands: Hands | None
    handovers: pl.DataFrame | None
    handovers_hidden: int


def discover(log: EventLog, parameters: Parameters) -> Found:
    """Count everything."""
    events = log.events
    quartiles, p90 = (int(parameters.value(name)) for name in ("few_for_quartiles", "few_for_p90"))
    grouped, hidden = handovers(events, smallest=int(parameters.value("smallest_group")))
    return Found(
        cases=log.cases,
        events=events.height,
        variants=variants(events, few=quartiles),
        follows=follows(events, few=quartiles, few_p90=p90),
        activities=activities(events, few=quartiles, few_p90=p90),
        rework_cases=rework_cases(events),
        throughput=throughput(events, few=quartiles, few_p90=p90),
        hands=hands(events),
        handovers=grouped,
        handovers_hidden=hidden,
    )


def variants(events: pl.DataFrame, *, few: int = 1) -> pl.DataFrame:
    """Each way through the routine, the most usual first.

    Returns
    -------
    variant (list of activities), cases, share, median_h (hours from first to last event; null for fewer than `few`
    cases).
    """
    first = pl.min_horizontal(pl.col("time").min(), pl.col("start").min())
    cases = events.group_by("case", maintain_order=True).agg(
        pl.col("activity").alias("variant"), _hours(pl.col("time").max() - first).alias("hours")
    )
    found = cases.group_by("variant").agg(
        pl.len().alias("cases"), pl.when(pl.len() >= few).then(pl.col("hours").median()).alias("median_h")
    )
    ranked = found.with_columns(
        (pl.col("cases") / cases.height).alias("share"), pl.col("variant").list.join("\n").alias("text")
    )
    return ranked.sort("cases", "text", descending=[True, False]).select("variant", "cases", "share", "median_h")


def follows(events: pl.DataFrame, *, few: int = 1, few_p90: int = 1) -> pl.DataFrame:
    """The directly-follows graph.

    Returns
    -------
    activity, next, count, cases, median_h, p90_h (hours from the end of the one to the start of the next, or to
    its end where its start is unknown; null for fewer than `few` observations, `few_p90` for the decile),
    with_start (how many of them had a start), overlaps (the next began before the one had ended: no wait).
    """
    wait = _hours(pl.coalesce("next_start", "next_time") - pl.col("time"))
    pairs = _pairs(events).with_columns(wait.alias("hours")).with_columns(pl.col("hours").clip(0).alias("waited"))
    found = pairs.group_by("activity", "next").agg(
        pl.len().alias("count"),
        pl.col("case").n_unique().alias("cases"),
        *_spread("waited", few, few_p90),
        pl.col("next_start").is_not_null().sum().alias("with_start"),
        (pl.col("hours") < 0).sum().alias("overlaps"),
    )
    return found.sort("count", "activity", "next", descending=[True, False, False])


def activities(events: pl.DataFrame, *, few: int = 1, few_p90: int = 1) -> pl.DataFrame:
    """Each activity, the most usual first.

    Returns
    -------
    activity, events, cases, starts and ends (cases that begin or end with it), repeated_in (cases with more than
    one of it), with_start, median_h and p90_h (working hours, of the events whose start is known).
    """
    first, last = (pl.int_range(pl.len()).over("case") == edge for edge in (0, pl.len().over("case") - 1))
    again = pl.len().over("case", "activity") > 1
    worked = _hours(pl.col("time") - pl.col("start"))
    marked = events.with_columns(
        first.alias("first"), last.alias("last"), again.alias("again"), worked.alias("worked")
    )
    found = marked.group_by("activity").agg(
        pl.len().alias("events"),
        pl.col("case").n_unique().alias("cases"),
        pl.col("first").sum().alias("starts"),
        pl.col("last").sum().alias("ends"),
        pl.col("case").filter(pl.col("again")).n_unique().alias("repeated_in"),
        pl.col("worked").is_not_null().sum().alias("with_start"),
        *_spread("worked", few, few_p90),
    )
    return found.sort("events", "activity", descending=[True, False])


def rework_cases(events: pl.DataFrame) -> int:
    """Cases in which some activity is done more than once."""
    return events.filter(pl.struct("case", "activity").is_duplicated())["case"].n_unique()


def throughput(events: pl.DataFrame, *, few: int = 1, few_p90: int = 1) -> Spread:
    """Hours from a case's first sign of life to its last event, over cases."""
    first = pl.min_horizontal(pl.col("time").min(), pl.col("start").min())
    spans = events.group_by("case").agg(_hours(pl.col("time").max() - first).alias("hours"))["hours"]
    if spans.len() < few:
        return Spread(spans.len())
    q1, median, q3 = (_number(spans.quantile(at, "linear")) for at in (0.25, 0.5, 0.75))
    return Spread(
        spans.len(), q1, median, q3, _number(spans.quantile(0.9, "linear")) if spans.len() >= few_p90 else None
    )


def hands(events: pl.DataFrame) -> Hands | None:
    """How many hands a case goes through; None where the log names no resource."""
    if events["resource"].is_null().all():
        return None
    changed = pl.col("resource") != pl.col("resource").shift()
    cases = events.group_by("case", maintain_order=True).agg(
        pl.col("resource").null_count().alias("unknown"),
        pl.col("resource").n_unique().alias("hands"),
        changed.sum().alias("handovers"),
    )
    known = cases.filter(pl.col("unknown") == 0)
    return Hands(
        cases=known.height,
        unknown_cases=cases.height - known.height,
        one_hand=known.filter(pl.col("hands") == 1).height,
        handovers=int(known["handovers"].sum()),
        mean_hands=_number(known["hands"].mean()),
    )


def handovers(events: pl.DataFrame, *, smallest: int) -> tuple[pl.DataFrame | None, int]:
    """Hand-overs between groups: from, to, count, cases; and how many are not shown.

    A group is named where at least `smallest` persons are in it (cases, where the log names no persons). Smaller
    ones are one nameless group together (null), which is shown where it is large enough itself. None where the log
    has no groups.
    """
    known = events.filter(pl.col("group").is_not_null())
    if known.is_empty():
        return None, 0
    member = "case" if events["resource"].is_null().all() else "resource"
    sizes = known.group_by("group").agg(pl.col(member).n_unique().alias("size"))
    large = sizes.filter(pl.col("size") >= smallest)["group"]
    rest = known.filter(~pl.col("group").is_in(large.implode()))[member].drop_nulls().n_unique()
    pairs = _pairs(known).filter(pl.col("group") != pl.col("next_group"))
    named = pairs.with_columns(
        pl.when(pl.col(name).is_in(large.implode())).then(name).alias(alias)
        for name, alias in (("group", "from"), ("next_group", "to"))
    ).filter(pl.col("from").is_not_null() | pl.col("to").is_not_null())
    shown = named if rest >= smallest else named.drop_nulls(["from", "to"])
    found = shown.group_by("from", "to").agg(pl.len().alias("count"), pl.col("case").n_unique().alias("cases"))
    found = found.filter(pl.col("cases") >= smallest)
    order = found.sort("count", "from", "to", descending=[True, False, False], nulls_last=True)
    return order, pairs.height - int(found["count"].sum())


def footprint(events: pl.DataFrame) -> dict[tuple[str, str], str]:
    """The footprint of a log: for every two activities →, ←, ‖ (both ways) or # (neither).

    >>> from datetime import UTC, datetime
    >>> at = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (1, 2)]
    >>> log = pl.DataFrame({"case": ["1", "1"], "activity": ["a", "b"], "time": at})
    >>> footprint(log)["a", "b"], footprint(log)["b", "a"], footprint(log)["a", "a"]
    ('→', '←', '#')
    """
    following = pl.col("activity").shift(-1).over("case").alias("next")
    pairs = set(events.select("activity", following).drop_nulls().unique().iter_rows())
    names = sorted(events["activity"].unique())
    signs = {(True, True): "‖", (True, False): "→", (False, True): "←", (False, False): "#"}
    return {(one, two): signs[(one, two) in pairs, (two, one) in pairs] for one in names for two in names}


def _pairs(events: pl.DataFrame) -> pl.DataFrame:
    """Each event with the next one of its case, where there is one."""
    after = [pl.col(name).shift(-1).over("case") for name in ("activity", "time", "start", "group")]
    names = ("next", "next_time", "next_start", "next_group")
    return events.with_columns(column.alias(name) for column, name in zip(after, names, strict=True)).filter(
        pl.col("next").is_not_null()
    )


def _spread(column: str, few: int, few_p90: int) -> tuple[pl.Expr, pl.Expr]:
    """Median and ninth decile, where there are enough observations."""
    known = pl.col(column).drop_nulls()
    median = pl.when(known.len() >= few).then(known.median()).alias("median_h")
    return median, pl.when(known.len() >= few_p90).then(known.quantile(0.9, "linear")).alias("p90_h")


def _hours(span: pl.Expr) -> pl.Expr:
    return span.dt.total_microseconds() / HOUR_US


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
