"""Link by position: the posterior probability of each candidate pipe.

Candidates are the pipes within a radius of the break point and those of the same road, in service on the day; a
pipe or a break without any place is tried by its street's name. By Bayes' rule, with a prior that a break lands on
a pipe in proportion to its length and to a bell curve of its distance, and with one likelihood ratio a field that
log and register both know (Fellegi and Sunter, 1969: agree m/u, differ (1-m)/(1-u)). The hypothesis that the pipe
is not in the register competes with all of them; its prior depends on what the id said: an id that is gone mostly
means a pipe that is gone.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.core.parameters import Parameters
from vardag.core.spatial import pairs_within
from vardag.water.linking.agreement import differs, known_id
from vardag.water.linking.street import folded
from vardag.water.schema.facts import installed

FIELDS = ["material", "diameter_mm", "install_year"]
STREET = "street"
# Breaks judged at once: a dense town gives some ten candidates a break, and memory follows the candidates.
BREAKS_AT_ONCE = 100_000
FOUND = pl.Schema(
    {
        "row": pl.UInt32,
        "pipe_id": pl.String,
        "place": pl.UInt32,
        "confidence": pl.Float64,
        "distance_m": pl.Float64,
        "position": pl.String,
        **dict.fromkeys((*FIELDS, STREET), pl.Boolean),
    }
)


def posterior(
    pipes: pl.DataFrame,
    breaks: pl.DataFrame,
    asked: pl.DataFrame,
    *,
    parameters: Parameters,
    most: int = 1,
    chance: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The likeliest candidates of each asked break.

    Parameters
    ----------
    asked
        row (of `breaks`) and reason, what the id said (a key of parameter ``link_in_register``).
    most
        Candidates to return of each break, surest first.
    chance
        ``year`` of the break, and for each field the share of unlike pipes nearby that agree (`learning`); policy
        numbers without it.

    Returns
    -------
    row, pipe_id, place (1 = surest), confidence (posterior probability of that pipe), distance_m, position (of the
    pipe); and for material, diameter_mm, install_year and street whether log and register agree (null: not known).
    Only breaks with a candidate.
    """
    register = _register(pipes, parameters)
    log = breaks.with_columns(known_id("road_id", parameters), folded(breaks[STREET]).alias(STREET))
    log = _with_chance(log, chance, parameters)
    parts = [pl.DataFrame(schema=FOUND)]
    for first in range(0, asked.height, BREAKS_AT_ONCE):
        some = asked[first : first + BREAKS_AT_ONCE]
        mine = log[some["row"]].with_columns(row=some["row"], reason=some["reason"])
        parts.append(_judged(register, mine, parameters, most))
    return pl.concat(parts).sort("row", "place")


def _register(pipes: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """The pipes as candidates: every column that is compared, and no more."""
    columns = ["pipe_id", "material", "diameter_mm", "install_year", "length_m", "status", "retired_date"]
    return pipes.with_row_index("pipe_row").select(
        "pipe_row",
        "geom",
        "position",
        *columns,
        known_id("road_id", parameters),
        folded(pipes[STREET]).alias(STREET),
        installed().alias("installed"),
    )


def _with_chance(log: pl.DataFrame, chance: pl.DataFrame | None, parameters: Parameters) -> pl.DataFrame:
    """Add ``u_<field>``: the share of unlike pipes that agree by chance, as learned before the break's year."""
    policy = parameters.value("link_agree_if_other")
    if chance is None:
        return log.with_columns(pl.lit(policy[name]).alias(f"u_{name}") for name in (*FIELDS, STREET))
    told = chance.rename({name: f"u_{name}" for name in (*FIELDS, STREET)})
    year = pl.col("break_date").dt.year().alias("year")
    joined = log.with_columns(year).join(told, on="year", how="left", maintain_order="left")
    return joined.with_columns(pl.col(f"u_{name}").fill_null(policy[name]) for name in (*FIELDS, STREET))


def _judged(register: pl.DataFrame, log: pl.DataFrame, parameters: Parameters, most: int) -> pl.DataFrame:
    pairs = _candidates(register, log, parameters)
    scored = pairs.with_columns(*_agreements(parameters)).with_columns(
        *_prior_weight(parameters), _ratio(parameters), _in_register(parameters)
    )
    if scored.is_empty():
        return pl.DataFrame(schema=FOUND)
    ranked = (
        _with_confidence(scored)
        .select("row", "confidence", "distance_m", *FIELDS, STREET, "pipe_row")
        .join(register.select("pipe_row", "pipe_id", "position"), on="pipe_row")
        .sort("row", "confidence", "pipe_id", "pipe_row", descending=[False, True, False, False])
    )
    place = np.arange(ranked.height) - np.repeat(*_runs(ranked["row"])) + 1
    chosen = ranked.with_columns(place=place).filter(pl.col("place") <= most)
    return chosen.select(FOUND.names()).cast(FOUND)


def _candidates(register: pl.DataFrame, log: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Pairs of a break and a pipe that was in service on its day, with the details of both.

    They are in the order of breaks and pipes, so that sums over them are the same to the last bit in every run.
    """
    found = pl.concat(
        [_near(register, log, parameters), _same_road(register, log), _same_street(register, log)], how="diagonal"
    )
    pairs = found.group_by("row", "pipe_row").agg(pl.col("distance_m").min()).sort("row", "pipe_row")
    details = register.drop("geom", "pipe_id").rename(lambda name: f"register_{name}")
    written = log.select("row", "break_date", "road_id", "reason", *FIELDS, STREET, pl.col("^u_.*$"))
    return (
        pairs.join(details, left_on="pipe_row", right_on="register_pipe_row", maintain_order="left")
        .join(written, on="row", maintain_order="left")
        .filter(in_service("register_"))
    )


def _near(register: pl.DataFrame, log: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Pairs within the radius of the pipe's kind of position (two standard deviations)."""
    found = [pl.DataFrame(schema={"row": pl.UInt32, "pipe_row": pl.UInt32, "distance_m": pl.Float64})]
    for position, spread in parameters.value("link_spread_m").items():
        some = register.filter(pl.col("position") == position)
        if some.is_empty():
            continue
        pairs = pairs_within(log["geom"], some["geom"], distance_m=2 * spread)
        found.append(
            pairs.select(
                row=log["row"].gather(pairs["left"]),
                pipe_row=some["pipe_row"].gather(pairs["right"]),
                distance_m="distance_m",
            )
        )
    return pl.concat(found)


def _same_road(register: pl.DataFrame, log: pl.DataFrame) -> pl.DataFrame:
    """Pairs of the same road, for pipes whose own line is not surveyed."""
    rough = register.filter(pl.col("position") != "surveyed").select("road_id", "pipe_row")
    return log.select("row", "road_id").join(rough, on="road_id").select("row", "pipe_row")


def _same_street(register: pl.DataFrame, log: pl.DataFrame) -> pl.DataFrame:
    """Pairs of the same street's name where one of the two has no place at all."""
    pipes, written = register.select(STREET, "pipe_row", "geom"), log.select("row", STREET, "geom")
    placeless = [
        written.filter(pl.col("geom").is_null()).join(pipes, on=STREET),
        written.filter(pl.col("geom").is_not_null()).join(pipes.filter(pl.col("geom").is_null()), on=STREET),
    ]
    return pl.concat([pairs.select("row", "pipe_row") for pairs in placeless])


def in_service(prefix: str = "") -> pl.Expr:
    """Was the pipe in the ground on the day of the break; yes where nothing speaks against it."""
    laid = (pl.col(f"{prefix}installed") <= pl.col("break_date")).fill_null(value=True)
    kept = (pl.col(f"{prefix}retired_date") >= pl.col("break_date")).fill_null(value=True)
    return laid & kept & (pl.col(f"{prefix}status").fill_null("unknown") != "planned")


def _agreements(parameters: Parameters) -> list[pl.Expr]:
    """Does each field of the log agree with the pipe: yes, no, or null where either does not know."""
    columns = {name: (name, f"register_{name}") for name in FIELDS}
    road = pl.col("road_id") == pl.col("register_road_id")
    street = pl.col(STREET) == pl.col(f"register_{STREET}")
    return [
        *[(~differ).alias(name) for name, differ in differs(parameters, **columns).items()],
        pl.coalesce(road, street).alias(STREET),
        road.alias("same_road"),
    ]


def _prior_weight(parameters: Parameters) -> list[pl.Expr]:
    """Closeness (0 to 1) and the prior's weight: length x closeness, a surveyed pipe only within its radius."""
    spreads: dict[str, float] = parameters.value("link_spread_m")
    agree = parameters.value("link_road_agreement")
    spread = pl.col("register_position").replace_strict(spreads, default=1.0, return_dtype=pl.Float64)
    bell = (-0.5 * (pl.col("distance_m") / spread) ** 2).exp()
    surveyed = pl.col("register_position") == "surveyed"
    same = pl.col("same_road")
    by_name = pl.col("distance_m").is_null() & pl.col(STREET).fill_null(value=False)
    closeness = (
        pl.when(by_name)
        .then(pl.lit(agree))
        .when(surveyed | same.is_null())
        .then(bell)
        .when(same)
        .then(pl.lit(agree))
        .otherwise(bell * (1 - agree))
        .fill_null(0.0)
    )
    length = pl.col("register_length_m").fill_null(1.0).clip(0.1)
    placed = surveyed & pl.col("distance_m").is_not_null()
    within = pl.when(placed).then(pl.min_horizontal(length, 4 * spread)).otherwise(length)
    return [closeness.alias("closeness"), (within * closeness).alias("weight")]


def _ratio(parameters: Parameters) -> pl.Expr:
    """Likelihood ratio of the fields: this pipe against an unrelated one of the same town.

    The street counts where it is not already in the closeness: for a pipe with a place, unless that place is only
    its road's.
    """
    m = parameters.value("link_agree_if_same")
    counted = pl.col("distance_m").is_not_null() & (
        (pl.col("register_position") == "surveyed") | pl.col("same_road").is_null()
    )
    said = {name: pl.col(name) for name in FIELDS} | {STREET: pl.when(counted).then(STREET)}
    ratio = pl.lit(1.0)
    for name, agrees in said.items():
        u = pl.col(f"u_{name}")
        agree, disagree = m[name] / u, (1 - m[name]) / (1 - u)
        ratio = ratio * pl.when(agrees).then(agree).when(~agrees).then(disagree).otherwise(1.0)
    return ratio.alias("ratio")


def _in_register(parameters: Parameters) -> pl.Expr:
    table: dict[str, float] = parameters.value("link_in_register")
    return pl.col("reason").replace_strict(table, default=0.0, return_dtype=pl.Float64).alias("in_register")


def _with_confidence(scored: pl.DataFrame) -> pl.DataFrame:
    """Posterior of each candidate against all others and against a pipe that is not in the register.

    The rows are sorted by break, so sums over a break's candidates are sums over runs: with millions of candidates
    many times faster than window expressions.
    """
    starts, sizes = _runs(scored["row"])
    columns = ("weight", "closeness", "ratio", "in_register")
    weight, closeness, ratio, prior = (scored[name].to_numpy() for name in columns)
    total = np.repeat(np.add.reduceat(weight, starts), sizes)
    present = prior * np.repeat(np.maximum.reduceat(closeness, starts), sizes)
    share = np.divide(weight, total, out=np.zeros_like(total), where=total > 0)
    evidence = present * share * ratio
    against = np.repeat(np.add.reduceat(evidence, starts), sizes) + 1 - present
    return scored.with_columns(confidence=evidence / against)


def _runs(rows: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of equal numbers begins, and how long it is."""
    values = rows.to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return starts, np.diff(np.concatenate([starts, [values.size]]))
