"""An event log in which nothing is lost: every row that came in is an event, the start of one, or in quarantine.

A reader hands over text (`RAW`). Here times are parsed, rows that cannot be used are set aside with a reason,
starts are paired with their ends, and what is strange about the clocks is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from vardag.core.errors import InputError

RAW = {
    "line": pl.Int64(),  # line of a table; number of the event in XES, OCEL and the audit log
    "case": pl.String(),
    "activity": pl.String(),
    "time": pl.String(),
    "start": pl.String(),
    "resource": pl.String(),
    "group": pl.String(),
    "transition": pl.String(),  # start or complete, where a step has one row for each
}
TEXT = [name for name in RAW if name != "line"]
MOMENT = pl.Datetime("us", "UTC")
# Year first: a date with the day or the month first cannot be told apart, and is not guessed.
WRITTEN = (
    r"^(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})"
    r"(?:[T ]+(?<hour>\d{1,2})[:.](?<minute>\d{2})(?:[:.](?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?)?"
    r"\s*(?<zone>Z|z|UTC|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?$"
)
ENDS = ("complete", "")
SEEN = ("zoned", "unzoned", "dated", "twice", "bad_start")
LEAST_BACK = 2  # steps back, and none on, that make a file newest first; one alone may be a clock that is wrong


@dataclass(frozen=True)
class EventLog:
    """Events in order of case, time and line.

    Parameters
    ----------
    events
        case, activity, time (end of the step, UTC), start (null where unknown), resource, group, line, start_line.
    quarantined
        line, reason.
    rows_in
        Rows that the reader handed over: events + starts that were paired with an end + quarantined.
    signs
        What is strange about the log, counted, by name.
    zone
        Zone that times without one were taken for.
    """

    events: pl.DataFrame
    quarantined: pl.DataFrame
    rows_in: int
    zone: str
    signs: Mapping[str, int] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """How many cases have an event that can be used."""
        return self.events["case"].n_unique()

    @property
    def rows_used(self) -> int:
        """Rows that became events, and starts that were paired with them."""
        return self.events.height + int(self.events["start_line"].is_not_null().sum())

    def reasons(self) -> dict[str, tuple[int, list[int]]]:
        """How many rows lie in quarantine by reason, and the first lines of each."""
        found = (
            self.quarantined.sort("line").group_by("reason").agg(pl.len(), pl.col("line").head(3).alias("first"))
        )
        rows = sorted(found.iter_rows(), key=lambda row: (-row[1], row[0]))
        return {reason: (count, first) for reason, count, first in rows}


def tidy(raw: pl.DataFrame, *, zone: str, now: datetime, slack: timedelta = timedelta()) -> EventLog:
    """Make an event log of what a reader found.

    Parameters
    ----------
    raw
        A frame with the columns of `RAW`.
    zone, now, slack
        Zone for times that have none; a time later than now and the slack is in the future.

    Raises
    ------
    InputError
        When there is no row, or none that can be used; the message counts the reasons.
    """
    if raw.is_empty():
        raise InputError("The log is empty: no events in it. Export it again, with at least one case.")
    clean = raw.with_columns(_cleaned(name) for name in TEXT)
    judged = _judged(_timed(clean, zone), now + slack)
    usable = judged.filter(pl.col("reason").is_null()).drop("reason")
    signs = {name: int(usable[name].sum()) for name in SEEN}
    events, alone, more = _paired(usable)
    left_out = pl.concat([judged.filter(pl.col("reason").is_not_null()).select("line", "reason"), alone])
    log = EventLog(events.sort("case", "time", "line"), left_out, raw.height, zone, {})
    if events.is_empty():
        told = "; ".join(f"{reason}: {count} (lines {first})" for reason, (count, first) in log.reasons().items())
        raise InputError(f"None of the {raw.height} rows can be used. {told}. Look at the columns and the times.")
    return _ordered(log, signs | more)


def moments(texts: pl.Series, zone: str) -> pl.DataFrame:
    """Points in time as written.

    Returns
    -------
    Columns at (UTC; null where it cannot be read), zoned (a zone is written), dated (no time of day is written) and
    twice (an hour that the clock went through twice; the first is taken).
    """
    parts = texts.rename("text").to_frame().select(pl.col("text").str.extract_groups(WRITTEN)).unnest("text")
    naive = pl.format(
        "{}-{}-{} {}:{}:{}.{}",
        *("year", "month", "day"),
        *(pl.col(name).fill_null("00") for name in ("hour", "minute", "second")),
        pl.col("fraction").fill_null("0").str.pad_end(6, "0").str.head(6),
    ).str.to_datetime("%Y-%m-%d %H:%M:%S.%6f", strict=False, time_unit="us")
    sign = pl.when(pl.col("zone").str.starts_with("-")).then(-1).otherwise(1)
    digits = pl.col("zone").str.replace_all(r"\D", "").str.pad_end(4, "0")
    minutes = sign * (
        60 * digits.str.head(2).cast(pl.Int64, strict=False) + digits.str.tail(2).cast(pl.Int64, strict=False)
    )
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    sure = naive.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    written = (naive - pl.duration(minutes=minutes)).dt.replace_time_zone("UTC")
    zoned = pl.col("zone").is_not_null()
    return parts.select(
        pl.when(zoned).then(written).otherwise(local).cast(MOMENT).alias("at"),
        zoned.alias("zoned"),
        (pl.col("hour").is_null() & pl.col("year").is_not_null()).alias("dated"),
        (~zoned & local.is_not_null() & sure.is_null()).alias("twice"),
    )


def _cleaned(name: str) -> pl.Expr:
    text = pl.col(name).str.replace_all("\0", "", literal=True).str.strip_chars()
    return pl.when(text != "").then(text).alias(name)


def _timed(clean: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Times parsed, with what was seen of zones and clocks row by row."""
    ends, starts = moments(clean["time"], zone), moments(clean["start"], zone)
    bad_start = clean["start"].is_not_null() & starts["at"].is_null()
    return clean.with_columns(
        *ends.get_columns(),
        starts["at"].alias("start_at"),
        bad_start.alias("bad_start"),
        (~ends["zoned"]).alias("unzoned"),
    )


def _judged(timed: pl.DataFrame, latest: datetime) -> pl.DataFrame:
    """Each row with the reason why it cannot be used; null where it can."""
    transition = pl.col("transition").str.to_lowercase().fill_null("")
    first = (
        pl.when(pl.col("case").is_null()).then(pl.lit("no_case"))
        .when(pl.col("activity").is_null()).then(pl.lit("no_activity"))
        .when(pl.col("time").is_null()).then(pl.lit("no_time"))
        .when(pl.col("at").is_null()).then(pl.lit("bad_time"))
        .when(pl.col("at") > latest).then(pl.lit("future"))
        .when(~transition.is_in(["start", *ENDS])).then(pl.lit("other_transition"))
    )  # fmt: skip
    judged = timed.with_columns(transition.alias("transition"), first.alias("reason")).sort("line")
    same = ["case", "activity", "at", "start_at", "resource", "group", "transition"]
    again = pl.col("reason").is_null() & ~pl.struct(*same, "reason").is_first_distinct()
    return judged.with_columns(pl.when(again).then(pl.lit("duplicate")).otherwise("reason").alias("reason"))


def _paired(usable: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Events with their starts, starts that never ended, and how many steps ended before they began.

    The first start of an activity in a case belongs to its first end, the second to the second.
    """
    begins = pl.col("transition") == "start"
    only_starts = bool(usable.height) and bool((usable["transition"] == "start").all())
    if only_starts:  # then the start is all that is known of a step, and stands for it
        usable = usable.with_columns(transition=pl.lit("complete"))
    nth = pl.col("line").cum_count().over("case", "activity").alias("nth")
    ordered = usable.sort("at", "line")
    ends, starts = ordered.filter(~begins).with_columns(nth), ordered.filter(begins).with_columns(nth)
    keys = ["case", "activity", "nth"]
    began = starts.select(*keys, pl.col("at").alias("began"), pl.col("line").alias("start_line"))
    joined = ends.join(began, on=keys, how="left").with_columns(
        time=pl.col("at"), start=pl.coalesce("began", "start_at")
    )
    backwards = pl.col("start") > pl.col("time")
    signs = {"negative": joined.filter(backwards).height, "only_starts": int(only_starts)}
    events = joined.with_columns(start=pl.when(~backwards).then("start"))
    alone = starts.join(ends, on=keys, how="anti").select("line", reason=pl.lit("never_ended"))
    wanted = ("case", "activity", "time", "start", "resource", "group", "line", "start_line")
    return events.select(wanted), alone, signs


def _ordered(log: EventLog, signs: dict[str, int]) -> EventLog:
    """Events in order, and how far the order of the lines and that of the times agree.

    A file that is newest first throughout is read backwards; else equal times keep the order of the file.
    """
    step = pl.col("time").diff().over("case").dt.total_microseconds()
    steps = log.events.sort("line").select("case", step.alias("step"))
    back, on = steps.filter(pl.col("step") < 0), steps.filter(pl.col("step") > 0)
    newest_first = back.height >= LEAST_BACK and on.height == 0
    same = log.events.filter(pl.struct("case", "time").is_duplicated())
    found = signs | {
        "newest_first": int(newest_first),
        "out_of_order": 0 if newest_first else back.height,
        "out_of_order_cases": 0 if newest_first else back["case"].n_unique(),
        "same_time": same.height,
        "same_time_cases": same["case"].n_unique(),
    }
    events = log.events.sort("case", "time", "line", descending=[False, False, newest_first])
    return EventLog(events, log.quarantined, log.rows_in, log.zone, found)
