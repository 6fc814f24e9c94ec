"""How much of the break log can be used: as it stands, after linking, and with rebuilt pipes."""

from typing import Any

import polars as pl


def survivorship(breaks: pl.DataFrame, links: pl.DataFrame, lives: pl.DataFrame) -> dict[str, Any]:
    """Count the log's breaks by what they can be used for.

    Parameters
    ----------
    breaks, links, lives
        The label breaks within the record, their links after `rebuilt_links`, and the lives.

    Returns
    -------
    Plain numbers for the report: ``breaks``; ``plain`` (the id is in the register with an installation year and
    the break is not of an earlier year; a gone id and an undated pipe count together); ``register`` (linked to a
    pipe of the register); ``with_rebuilt`` (linked to any pipe: usable as history) and of those ``labels`` (may be
    predicted: a rebuilt pipe's first break is not, for it is what made the pipe known); ``rebuilt``;
    ``reasons``; ``by_year``. Shares are of all breaks.
    """
    uses = _uses(breaks, links, lives)
    total = uses.height
    return {
        "breaks": total,
        "plain": {name: _count(uses, f"plain_{name}") for name in ("usable", "gone", "before_installation")},
        "register": _count(uses, "register"),
        "with_rebuilt": _count(uses, "linked"),
        "labels": _count(uses, "label"),
        "rebuilt": _rebuilt(uses, lives),
        "reasons": _reasons(links),
        "by_year": _by_year(uses),
    }


def _uses(breaks: pl.DataFrame, links: pl.DataFrame, lives: pl.DataFrame) -> pl.DataFrame:
    """One row a break, with a yes or no for each use."""
    today = lives.filter((pl.col("origin") == "register") & (pl.col("pipe_key") == pl.col("pipe_id")))
    today = today.select(asset_id="pipe_id", today_year="install_year")
    life = lives.select("pipe_key", "origin", "known_from", "retired_date")
    day, rebuilt = pl.col("break_date"), pl.col("origin") == "rebuilt"
    over = (day > pl.col("retired_date")).fill_null(value=False)
    linked = pl.col("origin").is_not_null()
    early = (day.dt.year() < pl.col("today_year")).fill_null(value=False)
    return (
        breaks.select("break_date", pl.col("asset_id").str.strip_chars())
        .with_columns(links.select("pipe_key"))
        .join(today, on="asset_id", how="left", maintain_order="left")
        .join(life, on="pipe_key", how="left", maintain_order="left")
        .select(
            "break_date",
            plain_usable=pl.col("today_year").is_not_null() & ~early,
            plain_gone=pl.col("today_year").is_null(),
            plain_before_installation=early,
            register=linked & ~rebuilt.fill_null(value=False),
            linked=linked,
            label=linked & (~rebuilt | ((day >= pl.col("known_from")) & ~over)),
            after_retirement=linked & rebuilt & over,
        )
    )


def _count(uses: pl.DataFrame, column: str) -> dict[str, float]:
    rows = int(uses[column].sum() or 0)
    return {"breaks": rows, "share": rows / uses.height if uses.height else 0.0}


def _rebuilt(uses: pl.DataFrame, lives: pl.DataFrame) -> dict[str, int]:
    """Rebuilt pipes, those of them that are ever at risk, and breaks after the day they were thought retired."""
    rebuilt = lives.filter(pl.col("origin") == "rebuilt")
    at_risk = rebuilt.filter(pl.col("retired_date") > pl.col("known_from"))
    return {
        "pipes": rebuilt.height,
        "at_risk": at_risk.height,
        "breaks_after_retirement": int(uses["after_retirement"].sum() or 0),
    }


def _reasons(links: pl.DataFrame) -> list[dict[str, Any]]:
    counted = links.group_by("method", "reason", maintain_order=True).agg(
        breaks=pl.len(), confidence=pl.col("confidence").mean()
    )
    ordered = counted.sort("breaks", "reason", descending=[True, False])
    return ordered.with_columns(share=pl.col("breaks") / links.height).to_dicts()


def _by_year(uses: pl.DataFrame) -> list[dict[str, Any]]:
    """Breaks logged in each year, and how many are usable by each rule."""
    year = pl.col("break_date").dt.year().alias("year")
    counts = [pl.len().alias("logged")] + [
        pl.col(column).sum().alias(name)
        for name, column in {
            "plain": "plain_usable",
            "register": "register",
            "with_rebuilt": "linked",
            "labels": "label",
        }.items()
    ]
    return uses.group_by(year).agg(counts).sort("year").to_dicts()
