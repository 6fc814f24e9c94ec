"""Link by position: the posterior probability of each candidate pipe.

Candidates are the pipes within a radius of the break point and those of the same road, in service on the day.
By Bayes' rule, with a prior that a break lands on a pipe in proportion to its length and to a bell curve of its
distance, and with one likelihood ratio a field that log and register both know (Fellegi and Sunter, 1969:
agree m/u, differ (1-m)/(1-u)). The hypothesis that the pipe is not in the register competes with all of them;
its prior depends on what the id said: an id that is gone mostly means a pipe that is gone.
"""

import polars as pl

from vardag.core.parameters import Parameters
from vardag.core.spatial import pairs_within
from vardag.water.linking.agreement import differs, installed, known_id

FIELDS = ["material", "diameter_mm", "install_year"]
FOUND = pl.Schema({"row": pl.UInt32, "pipe_id": pl.String, "confidence": pl.Float64, "distance_m": pl.Float64})


def posterior(
    pipes: pl.DataFrame, breaks: pl.DataFrame, asked: pl.DataFrame, *, parameters: Parameters
) -> pl.DataFrame:
    """Best candidate of each asked break.

    Parameters
    ----------
    asked
        row (of `breaks`) and reason, what the id said (a key of parameter ``link_in_register``).

    Returns
    -------
    row, pipe_id, confidence (posterior probability of that pipe), distance_m; only breaks with a candidate.
    """
    road = known_id("road_id", parameters)
    log = breaks.with_row_index("row").with_columns(road).join(asked, on="row", maintain_order="left")
    pairs = _candidates(pipes, log, parameters)
    if pairs.is_empty():
        return pl.DataFrame(schema=FOUND)
    scored = pairs.with_columns(*_prior_weight(parameters), _ratio(parameters), _in_register(parameters))
    return (
        scored.with_columns(_confidence())
        .sort("row", "confidence", "pipe_id", descending=[False, True, False])
        .unique("row", keep="first", maintain_order=True)
        .select(FOUND.names())
        .cast(FOUND)
    )


def _candidates(pipes: pl.DataFrame, log: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Pairs of a break and a pipe that was in service on its day, with the details of both."""
    register = pipes.with_row_index("pipe_row").with_columns(known_id("road_id", parameters))
    found = pl.concat([_near(register, log, parameters), _same_road(register, log)], how="diagonal")
    pairs = found.group_by("row", "pipe_row").agg(pl.col("distance_m").min())
    details = register.select(pl.all().exclude("geom", "source", "line", "street")).rename(
        lambda name: name if name in {"pipe_row", "pipe_id"} else f"register_{name}"
    )
    return (
        pairs.join(details, on="pipe_row")
        .join(log.select("row", "break_date", "road_id", "reason", *FIELDS), on="row")
        .filter(_in_service())
    )


def _near(register: pl.DataFrame, log: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Pairs within the radius of the pipe's kind of position (two standard deviations)."""
    found = []
    for position, spread in parameters.value("link_spread_m").items():
        some = register.filter(pl.col("position") == position)
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


def _in_service() -> pl.Expr:
    laid = (installed("register_") <= pl.col("break_date")).fill_null(value=True)
    kept = (pl.col("register_retired_date") >= pl.col("break_date")).fill_null(value=True)
    return laid & kept & (pl.col("register_status") != "planned")


def _prior_weight(parameters: Parameters) -> list[pl.Expr]:
    """Closeness (0 to 1) and the prior's weight: length x closeness, a surveyed pipe only within its radius."""
    spreads: dict[str, float] = parameters.value("link_spread_m")
    agree = parameters.value("link_road_agreement")
    spread = pl.col("register_position").replace_strict(spreads, default=1.0, return_dtype=pl.Float64)
    bell = (-0.5 * (pl.col("distance_m") / spread) ** 2).exp()
    surveyed = pl.col("register_position") == "surveyed"
    same = pl.col("road_id") == pl.col("register_road_id")
    closeness = (
        pl.when(surveyed | same.is_null())
        .then(bell)
        .when(same)
        .then(pl.lit(agree))
        .otherwise(bell * (1 - agree))
        .fill_null(0.0)
    )
    length = pl.col("register_length_m").fill_null(1.0).clip(0.1)
    within = pl.when(surveyed).then(pl.min_horizontal(length, 4 * spread)).otherwise(length)
    return [closeness.alias("closeness"), (within * closeness).alias("weight")]


def _ratio(parameters: Parameters) -> pl.Expr:
    """Likelihood ratio of the fields: this pipe against an unrelated one of the same town."""
    m, u = parameters.value("link_agree_if_same"), parameters.value("link_agree_if_other")
    columns = {name: (name, f"register_{name}") for name in FIELDS}
    ratio = pl.lit(1.0)
    for name, differ in differs(parameters, **columns).items():
        agree, disagree = m[name] / u[name], (1 - m[name]) / (1 - u[name])
        ratio = ratio * pl.when(differ).then(disagree).when(~differ).then(agree).otherwise(1.0)
    return ratio.alias("ratio")


def _in_register(parameters: Parameters) -> pl.Expr:
    table: dict[str, float] = parameters.value("link_in_register")
    return pl.col("reason").replace_strict(table, default=0.0, return_dtype=pl.Float64).alias("in_register")


def _confidence() -> pl.Expr:
    """Posterior of each candidate against all others and against a pipe that is not in the register."""
    share = pl.col("weight") / pl.col("weight").sum().over("row")
    present = pl.col("in_register") * pl.col("closeness").max().over("row")
    evidence = present * share * pl.col("ratio")
    return (evidence / (evidence.sum().over("row") + 1 - present)).fill_nan(0.0).alias("confidence")
