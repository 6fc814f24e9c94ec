"""Published break rates by material: what is known of a pipe before its city has told anything."""

import polars as pl

from vardag.water.lof.port import POLICY, Floats

KM_PER_MILE = 1.609344  # international mile (1959), exact


def published_rates() -> dict[str, float]:
    """Published breaks per km and year by material, from the policy's breaks per 100 miles."""
    per_100_miles = POLICY.value("prior_breaks_per_100_miles")
    return {material: value / 100.0 / KM_PER_MILE for material, value in per_100_miles.items()}


def prior_rate(panel: pl.DataFrame) -> Floats:
    """Published rate of each row's material; materials without one take the overall rate."""
    published = published_rates()
    material = pl.col("material").cast(pl.String)
    return (
        panel.select(material.replace_strict(published, default=published["OTHER"], return_dtype=pl.Float64))
        .to_series()
        .fill_null(published["OTHER"])
        .to_numpy()
    )
