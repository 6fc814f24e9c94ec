"""Link by id, where the id still means the pipe that broke.

The log's id was written on the day of the break, the register is of today. An id is trusted when the register has
it, the pipe that carries it was in the ground on the day, and at most one of the fields that both know (material,
diameter, installation year) differs: one difference is a correction of the register, two are another pipe.
(Kitchener: 55 breaks have an installation year up to 39 years off with the same material, diameter and street.)

Where the register has been delivered several times, one id may have been several pipes (``asset_name`` in the pipe
table): the one that was in the ground on the day is asked, and of several the one that agrees best.
"""

import polars as pl

from vardag.core.parameters import Parameters
from vardag.water.linking.agreement import differs, distances, known_id
from vardag.water.schema.facts import installed

NEEDS_POSITION = ["no_id", "id_gone", "id_contradicted", "id_retired_before_break"]
REGISTER = [
    "pipe_id", "asset_name", "material", "diameter_mm", "install_year", "install_date", "retired_date", "geom",
]  # fmt: skip


def judge_ids(pipes: pl.DataFrame, breaks: pl.DataFrame, *, parameters: Parameters) -> pl.DataFrame:
    """Say for each break whether its id can be trusted, and why.

    Returns
    -------
    row (of `breaks`), break_id, pipe_key, method (``id`` or ``none``), confidence, reason, distance_m.
    """
    register = with_asset_name(pipes).select(REGISTER).unique("pipe_id", keep="first", maintain_order=True)
    both = (
        breaks.with_row_index("row")
        .with_columns(asset=known_id("asset_id", parameters))
        .join(
            register.rename(lambda name: f"register_{name}"),
            left_on="asset",
            right_on="register_asset_name",
            how="left",
            maintain_order="left_right",
        )
        .with_columns(_differences(parameters))
        .pipe(_in_the_ground)
        .with_columns(reason=_reason())
    )
    trusted = both["reason"].is_in(list(parameters.value("link_id_confidence")))
    return both.select(
        "row",
        "break_id",
        pipe_key=pl.when(trusted).then("register_pipe_id"),
        method=pl.when(trusted).then(pl.lit("id")).otherwise(pl.lit("none")),
        confidence=_confidence(parameters),
        reason="reason",
        distance_m=distances(both["geom"], both["register_geom"]),
    )


def with_asset_name(pipes: pl.DataFrame) -> pl.DataFrame:
    """Pipes with the id that the log writes for them; without earlier deliveries it is their own."""
    return pipes if "asset_name" in pipes.columns else pipes.with_columns(asset_name="pipe_id")


def _in_the_ground(both: pl.DataFrame) -> pl.DataFrame:
    """One row a break: of the pipes of its id the one in the ground on the day, that agrees best, the latest laid.

    Where none was in the ground that day: the last one laid before it, or else the first one laid after.
    """
    if both["row"].is_unique().all():
        return both
    day, laid = pl.col("break_date"), pl.col("installed")
    out = (day > pl.col("register_retired_date")).fill_null(value=False)
    early = (day < laid).fill_null(value=False)
    age = pl.when(early).then((laid - day).dt.total_days()).otherwise((day - laid).dt.total_days())
    order = ["row", early | out, early, "differing", age.fill_null(0)]
    return both.sort(order, maintain_order=True).unique("row", keep="first", maintain_order=True)


def _differences(parameters: Parameters) -> list[pl.Expr]:
    fields = differs(
        parameters,
        material=("material", "register_material"),
        diameter_mm=("diameter_mm", "register_diameter_mm"),
        install_year=("install_year", "register_install_year"),
    )
    return [
        pl.sum_horizontal(fields.values()).alias("differing"),
        pl.sum_horizontal(field.is_not_null() for field in fields.values()).alias("compared"),
        installed("register_").alias("installed"),
    ]


def _reason() -> pl.Expr:
    """Stable reason codes, the first that holds."""
    return (
        pl.when(pl.col("break_date").is_null())
        .then(pl.lit("no_date"))
        .when(pl.col("asset").is_null())
        .then(pl.lit("no_id"))
        .when(pl.col("register_pipe_id").is_null())
        .then(pl.lit("id_gone"))
        .when(pl.col("break_date") < pl.col("installed"))
        .then(pl.lit("id_reused_after_replacement"))
        .when(pl.col("break_date") > pl.col("register_retired_date"))
        .then(pl.lit("id_retired_before_break"))
        .when(pl.col("differing") >= 2)
        .then(pl.lit("id_contradicted"))
        .when(pl.col("installed").is_null())
        .then(pl.lit("id_install_unknown"))
        .when(pl.col("compared") == 0)
        .then(pl.lit("id_without_details"))
        .when(pl.col("differing") == 1)
        .then(pl.lit("id_with_one_difference"))
        .otherwise(pl.lit("id_and_dates_agree"))
    )


def _confidence(parameters: Parameters) -> pl.Expr:
    table: dict[str, float] = parameters.value("link_id_confidence")
    return pl.col("reason").replace_strict(table, default=0.0, return_dtype=pl.Float64)
