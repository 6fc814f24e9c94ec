"""A small made-up town in the shape of the contracts: what a publication is made from."""

import random
from datetime import date
from typing import Any

import polars as pl
import shapely

from vardag.water.publish import ReportContext

MODELS = (
    "vardag",
    "ann",
    "poisson_glm",
    "empirical_bayes",
    "past_breaks_per_km",
    "material_age",
    "oldest_first",
    "random",
)
LEVELS = (0.0025, 0.01, 0.05, 0.1, 0.2)
SHARES = {
    "vardag": (0.031, 0.104, 0.347, 0.541, 0.778),
    "ann": (0.021, 0.078, 0.291, 0.487, 0.741),
    "poisson_glm": (0.024, 0.081, 0.305, 0.498, 0.752),
    "empirical_bayes": (0.022, 0.069, 0.279, 0.51, 0.759),
    "past_breaks_per_km": (0.026, 0.073, 0.285, 0.46, 0.555),
    "material_age": (0.008, 0.032, 0.194, 0.359, 0.677),
    "oldest_first": (0.004, 0.014, 0.118, 0.275, 0.571),
    "random": (0.0025, 0.01, 0.05, 0.1, 0.2),
}
HOSTILE = "<script>alert('street')</script>"


def predictions(*, pipes: int = 120, seed: int = 1, placeless: int = 2) -> pl.DataFrame:
    """Pipes on a grid of streets; the second street's name is hostile, the last pipes have no place."""
    draw = random.Random(seed)
    rows = [_pipe(number, draw) for number in range(pipes)]
    frame = pl.DataFrame(rows, schema_overrides={"geom": pl.Binary}, infer_schema_length=None)
    frame = frame.sort("expected_breaks_per_km_year", descending=True)
    last = pl.int_range(pl.len()) >= pipes - placeless
    return frame.with_columns(
        pl.when(last).then(None).otherwise("geom").alias("geom"),
        pl.when(last).then(pl.lit("none")).otherwise("position").alias("position"),
        rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
        cumulative_length_share=pl.col("length_m").cum_sum() / pl.col("length_m").sum(),
    )


def _pipe(number: int, draw: random.Random) -> dict[str, Any]:
    row, column = divmod(number, 12)
    x, y = 667_000.0 + 120 * column, 6_582_000.0 + 90 * row
    line = shapely.LineString([(x, y), (x + 60, y + draw.uniform(-8, 8)), (x + 115, y + 4)])
    rate = draw.lognormvariate(-2.5, 1.2)
    km = line.length / 1000
    era = draw.choice(["1950s", "1960s", "1980s"])
    breaks = draw.choice([0, 0, 1, 3])
    return {
        "pipe_key": f"V{1000 + number}",
        "pipe_id": f"V{1000 + number}",
        "geom": shapely.to_wkb(line),
        "street": HOSTILE if row == 1 else None if row == 2 else f"Gata {row}",
        "material": draw.choice(["CI", "DI", "PVC", "PE"]),
        "diameter_mm": draw.choice([100.0, 150.0, 200.0, None]),
        "install_year": draw.choice([int(era[:4]) + 3, None]),
        "length_m": line.length,
        "position": draw.choice(["surveyed", "surveyed", "approximate"]),
        "expected_breaks_per_km_year": rate,
        "lower": rate * 0.5,
        "upper": rate * 1.9,
        "expected_breaks": rate * km,
        "p_break": rate * km * 0.97,
        "p_top_1": min(0.2 * rate, 1.0),
        "p_top_5": min(rate, 1.0),
        "reasons": [
            {"family": "material", "value": f"CI|{era}", "multiplier": 2.1},
            {"family": "neighbours", "value": f"{breaks}|150|5", "multiplier": 1.0 + 0.4 * breaks},
            {"family": "pressure", "value": "Högzon <b>|52", "multiplier": 0.61},
        ][: draw.choice([1, 3, 3])],
    }


def evaluation() -> dict[str, Any]:
    """An evaluation of both populations and horizons."""
    trials = {"1": _trial(832, 1), "3": _trial(2210, 3)}
    return {
        "city": "Exempelstad",
        "models": list(MODELS),
        "levels": list(LEVELS),
        "populations": {"register": trials, "with_rebuilt": {"1": _trial(903, 1), "3": None}},
    }


def _trial(breaks: int, years: int) -> dict[str, Any]:
    days = [f"{year}-12-31" for year in range(2012, 2022 - years + 1)]
    return {
        "origins": days,
        "breaks": breaks,
        "pipe_years": 120 * len(days),
        "km_years": 13.9 * len(days) * years,
        "headline": [_row(model) for model in MODELS],
        "curve": {model: _curve(model) for model in MODELS},
        "calibration": _calibration(breaks, days),
        "no_history": [_row(model, scale=0.8) for model in MODELS],
        "streets": _streets() if years == 3 else None,
    }


def _row(model: str, *, scale: float = 1.0) -> dict[str, Any]:
    shares, best = SHARES[model], SHARES["vardag"]
    return {
        "model": model,
        "capture": [scale * share for share in shares],
        "low": [scale * share * 0.88 for share in shares],
        "high": [scale * share * 1.11 for share in shares],
        "difference": [scale * (a - b) for a, b in zip(best, shares, strict=True)],
        "difference_low": [scale * (a - b) - 0.02 for a, b in zip(best, shares, strict=True)],
        "difference_high": [scale * (a - b) + 0.02 for a, b in zip(best, shares, strict=True)],
    }


def _curve(model: str) -> dict[str, Any]:
    power = {"vardag": 0.3, "random": 1.0, "oldest_first": 0.6}.get(model, 0.4)
    at = [number / 100 for number in range(101)]
    return {"length_share": at, "capture": [share**power for share in at]}


def _calibration(breaks: int, days: list[str]) -> dict[str, Any]:
    def compared(observed: float, ratio: float) -> dict[str, Any]:
        return {"predicted": observed * ratio, "observed": round(observed), "ratio": ratio}

    each = breaks / len(days)
    return {
        "pooled": compared(breaks, 1.03),
        "by_year": [{"year": int(day[:4]) + 1} | compared(each, 0.9 + 0.03 * n) for n, day in enumerate(days)],
        "by_material": [
            {"material": code} | compared(breaks * s, 1.02) for code, s in (("CI", 0.7), ("DI", 0.2), ("PVC", 0.1))
        ],
        "by_decile": [{"decile": n} | compared(breaks / n / 3, 1.0) for n in range(1, 11)],
        "held": {
            "stated": 0.8,
            "years": {"numbers": len(days), "share": 0.83},
            "materials": {"numbers": 30, "share": 0.79},
            "deciles": {"numbers": 100, "share": 0.81},
        },
    }


def _streets() -> dict[str, Any]:
    rows = [
        {"model": m, "blocks": 41, "hits": round(41 * SHARES[m][3]), "precision": SHARES[m][3], "base_rate": 0.07}
        for m in MODELS
    ]
    return {"level": 0.01, "horizon_years": 3, "rows": rows}


def effects() -> dict[str, Any]:
    """What goes with breaks: a number, a category with a hostile name, and one of no account."""
    return {
        "refits": 10,
        "effects": [
            _effect("install_year", [(1900.0, 1962.0, 2.5), (1963.0, 1990.0, 1.2), (1991.0, 2022.0, 0.5)], 0.7),
            _effect("soil_class", [(HOSTILE, None, 1.4), ("lera", None, 0.9)], 0.2) | {"kind": "name"},
            _effect("own_breaks", [(0.0, 0.0, 0.9), (1.0, 4.0, 2.1), (None, None, 1.01)], 0.2),
            _effect("truck", [(0.0, 0.0, 1.0), (1.0, 1.0, 1.01)], 0.01),
        ],
    }


def _effect(feature: str, points: list[tuple[Any, Any, float]], strength: float) -> dict[str, Any]:
    return {
        "feature": feature,
        "kind": "number",
        "strength": strength,
        "points": [
            {
                "low": None if isinstance(low, str) else low,
                "high": high,
                "name": low if isinstance(low, str) else None,
                "missing": low is None,
                "share": 1 / len(points),
                "multiplier": value,
                "lower": 0.9 * value,
                "upper": 1.1 * value,
            }
            for low, high, value in points
        ],
    }


def stability() -> dict[str, Any]:
    """How much of the top stayed over ten refits."""
    shares = ((0.01, 0.78), (0.05, 0.88), (0.1, 0.93))
    rows = [{"level": n, "mean": x, "low": x - 0.1, "high": x + 0.05, "always": x - 0.3} for n, x in shares]
    return {"refits": 10, "levels": rows}


def fit() -> dict[str, Any]:
    """What a prediction left beside its table."""
    zone = {"km": 10.0, "breaks": 3.0, "recorded": 0.012, "predicted": 0.02}
    return {
        "pipes": 120,
        "length_km": 13.9,
        "label_breaks": 2174,
        "expected_breaks": 21.5,
        "breaks_interval": [12.0, 32.0],
        "choice": "enough",
        "notes": {"sv": "2174 rörbrott räcker.", "en": "2174 breaks are enough."},
        "calibration": {"label_years": [2020, 2024], "observed": 90.0, "predicted": 100.0, "factor": 0.9},
        "spread": 0.8,
        "settings": {"settings.rounds": 240, "settings.seeds": [1, 2, 3], "base": None},
        "filled": {"age_years": 0.98, "material": 1.0},
        "thin": {
            "quiet": {"km": 0.76, "expected": 0.3},
            "unknown": {"material": 0.02, "install_year": 0.11},
            "observed_years": 25.6,
            "zones": [zone | {"pressure_zone": HOSTILE}, zone | {"pressure_zone": "Norr | övre"}],
        },
    }


def context(**changes: Any) -> ReportContext:
    """A run on the made-up town; `changes` replace fields."""
    fields: dict[str, Any] = {
        "city": "Exempelstad",
        "crs": "EPSG:3006",
        "as_of": date(2024, 12, 31),
        "secrecy": "protected",
        "sources": _sources(),
        "checks": _checks(),
        "survivorship": _survivorship(),
        "data_card": _data_card(),
        "run": _run(),
        "roads": roads(),
        "effects": effects(),
        "stability": stability(),
        "fit": fit(),
    }
    return ReportContext(**(fields | changes))


def roads() -> pl.DataFrame:
    """Two streets as context."""
    lines = [
        shapely.LineString([(667_000, 6_582_000 + 90 * row), (668_400, 6_582_000 + 90 * row)]) for row in range(2)
    ]
    return pl.DataFrame({"geom": [shapely.to_wkb(line) for line in lines]})


def _sources() -> pl.DataFrame:
    row = {
        "source": "ledningar",
        "table_name": "pipe",
        "path": "ledningar.gpkg",
        "owner": "VA-enheten",
        "contact": "va@exempelstad.example",
        "licence": "CC0",
        "secrecy": "protected",
        "source_date": date(2025, 1, 15),
        "rows_in": 123,
        "rows_kept": 120,
        "rows_quarantined": 3,
    }
    log = row | {"source": "läckor", "path": "lackor.csv", "rows_in": 240, "rows_kept": 238, "rows_quarantined": 2}
    return pl.DataFrame([row, log])


def _checks() -> pl.DataFrame:
    found = {
        "check_name": "missing_install_year",
        "table_name": "pipe",
        "severity": "warning",
        "rows": 3,
        "total": 120,
        "first_ids": "V1001, V1007",
        "message": "install_year: 3 av 120 ledningar saknar anläggningsår (först: V1001, V1007).",
        "cure": "Rätta registret.",
    }
    clean = found | {
        "check_name": "duplicate_ids",
        "severity": "error",
        "rows": 0,
        "message": "120 rader granskade, inget hittat.",
        "cure": "",
    }
    return pl.DataFrame([found, clean])


def _survivorship() -> dict[str, Any]:
    def share(breaks: int) -> dict[str, float]:
        return {"breaks": breaks, "share": breaks / 2723}

    return {
        "breaks": 2723,
        "plain": {"usable": share(2001), "gone": share(409), "before_installation": share(313)},
        "register": share(2088),
        "with_rebuilt": share(2690),
        "labels": share(2233),
        "rebuilt": {"pipes": 457, "at_risk": 121, "breaks_after_retirement": 4},
    }


def _data_card() -> list[dict[str, str]]:
    return [
        {"name": "age_years", "family": "age", "knows": "dated", "doc": "Years since installation.", "why": ""},
        {
            "name": "material",
            "family": "material",
            "knows": "static",
            "doc": "Pipe material (canonical code).",
            "why": "",
        },
        {
            "name": "aadt",
            "family": "traffic",
            "knows": "undated",
            "doc": "Vehicles a day.",
            "why": "traffic does not follow breaks",
        },
    ]


def _run() -> dict[str, Any]:
    step = {"seconds": 1.42, "peak_memory_mb": 310.4, "rows_in": 240, "rows_out": 238, "rows_dropped": 2}
    return {
        "run_id": "a1b2c3d4e5f6",
        "command": "water publish",
        "version": "0.1.0",
        "started_at": "2025-01-20T08:15:00+00:00",
        "seed": 7,
        "status": "done",
        "configuration_hash": "9f2d4c",
        "inputs": {"ledningar": "ab" * 32, "läckor": "cd" * 32},
        "steps": [{"name": "link"} | step, {"name": "fit"} | step],
    }
