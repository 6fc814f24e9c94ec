"""Locks: sealed, never written over, and compared with what happened."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vardag.core.errors import InputError, NotFoundError, RefusedError
from vardag.water.validation.outcome import check, pool
from vardag.water.validation.scorecard import lock, open_lock

AS_OF = date(2022, 12, 31)


def predictions(pipes: int = 200, rate: float = 1.0) -> pl.DataFrame:
    """Pipes of 100 m; the first tenth is expected to break ten times as often as the rest."""
    number = np.arange(pipes)
    return pl.DataFrame(
        {
            "pipe_key": [f"p{each:03d}" for each in number],
            "length_m": np.full(pipes, 100.0),
            "expected_breaks_per_km_year": rate * np.where(number < pipes // 10, 10.0, 1.0) / 1.9,
            "street": "not locked",
        }
    )


def locked(folder: Path, table: pl.DataFrame | None = None, *, years: int = 2) -> Path:
    table = predictions() if table is None else table
    return lock(
        table, folder=folder, as_of=AS_OF, horizon_years=years, model="vardag", run_id="abc", city="Exempelstad"
    )


def log(*events: tuple[str | None, date]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Break log and links of events given as (pipe, day)."""
    ids = [f"b{number}" for number in range(len(events))]
    days = pl.DataFrame({"break_id": ids, "break_date": [day for _, day in events]})
    keys = pl.DataFrame(
        {"break_id": ids, "pipe_key": [pipe for pipe, _ in events]}, schema_overrides={"pipe_key": pl.String}
    )
    return days, keys


def test_a_lock_is_read_back(tmp_path: Path) -> None:
    path = locked(tmp_path / "scorecard")
    assert path.name == "lock-2022-12-31.json"
    found = open_lock(path)
    assert (found.city, found.model, found.as_of, found.horizon_years) == ("Exempelstad", "vardag", AS_OF, 2)
    assert found.predictions.columns == ["pipe_key", "length_m", "expected_breaks_per_km_year"]
    facts = json.loads(path.read_text(encoding="utf-8"))
    assert facts["pipes"] == 200
    assert facts["km"] == 20.0


def test_a_lock_is_never_written_over(tmp_path: Path) -> None:
    path = locked(tmp_path)
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="never written over"):
        locked(tmp_path, predictions(rate=2.0))
    assert path.read_bytes() == before
    assert open_lock(path).predictions["expected_breaks_per_km_year"].max() == pytest.approx(10 / 1.9)


def test_the_order_of_pipes_does_not_matter(tmp_path: Path) -> None:
    first = locked(tmp_path / "a")
    second = locked(tmp_path / "b", predictions().sample(fraction=1.0, shuffle=True, seed=1))
    assert json.loads(first.read_text()) == json.loads(second.read_text())


def test_what_an_interrupted_run_left_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "lock-2022-12-31.parquet").write_bytes(b"half")
    assert open_lock(locked(tmp_path)).predictions.height == 200


def test_a_changed_prediction_is_refused(tmp_path: Path) -> None:
    path = locked(tmp_path)
    better = predictions().select("pipe_key", "length_m", pl.col("expected_breaks_per_km_year") * 1.1)
    better.write_parquet(path.with_suffix(".parquet"))
    with pytest.raises(RefusedError, match=r"parquet: has changed since it was locked"):
        check(path, breaks=log()[0], links=log()[1], through=date(2023, 12, 31))


@pytest.mark.parametrize(("field", "value"), [("as_of", "2021-12-31"), ("model", "other"), ("sha256", "0")])
def test_a_changed_fact_is_refused(tmp_path: Path, field: str, value: str) -> None:
    path = locked(tmp_path)
    facts = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(facts | {field: value}), encoding="utf-8")
    with pytest.raises(RefusedError, match="seal differs"):
        open_lock(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json"])
def test_what_is_no_lock_is_refused(tmp_path: Path, text: str) -> None:
    path = locked(tmp_path)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError, match="is not a lock"):
        open_lock(path)


def test_a_missing_half_is_told(tmp_path: Path) -> None:
    path = locked(tmp_path)
    path.with_suffix(".parquet").unlink()
    with pytest.raises(NotFoundError, match="parquet: no such file"):
        open_lock(path)


def test_a_prediction_that_cannot_be_locked_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column length_m"):
        locked(tmp_path, predictions().drop("length_m"))
    with pytest.raises(InputError, match=r"1 pipes stand twice .first: p000"):
        locked(tmp_path, pl.concat([predictions(), predictions().head(1)]))
    assert list(tmp_path.iterdir()) == []


def test_the_outcome_by_hand(tmp_path: Path) -> None:
    """20 breaks a year are expected. 22 come in 2023, 11 of them on the top tenth; 4 by the end of June 2024."""
    path = locked(tmp_path)
    events = [(f"p{number:03d}", date(2023, 3, 1)) for number in [*range(11), *range(100, 111)]]
    events += [("p000", date(2024, 2, 1)), ("p150", date(2024, 2, 2))]
    events += [
        ("p000", date(2022, 12, 31)),
        ("p000", date(2025, 1, 1)),
        ("new", date(2024, 3, 1)),
        (None, date(2024, 3, 2)),
    ]
    found = check(path, breaks=log(*events)[0], links=log(*events)[1], through=date(2024, 6, 30))
    assert found.breaks == {"linked": 24, "other_pipe": 1, "unlinked": 1}
    assert found.capture.value[3] == pytest.approx(12 / 24)
    assert found.capture.low[3] < 0.5 < found.capture.high[3]
    first, second = found.years
    assert (first["year"], first["observed"], first["covered"]) == (2023, 22, 1.0)
    assert first["predicted"] == pytest.approx(20.0)
    assert first["ratio"] == pytest.approx(20 / 22, abs=1e-4)
    assert second["covered"] == pytest.approx(182 / 366, abs=1e-4)
    assert second["observed"] == 2
    assert [alarm.code for alarm in found.alarms] == ["level"]  # 29.9 predicted, 24 observed
    assert json.loads(json.dumps(found.document(), allow_nan=False))["capture"][3]["level"] == 0.1


def test_far_too_many_breaks_and_a_failed_ranking_alarm(tmp_path: Path) -> None:
    path = locked(tmp_path)
    events = [(f"p{number:03d}", date(2023, 5, 1)) for number in range(100, 160)]
    events += [(None, date(2023, 5, 2))] * 40
    found = check(path, breaks=log(*events)[0], links=log(*events)[1], through=date(2023, 12, 31))
    assert [alarm.code for alarm in found.alarms] == ["too_many", "ranking", "unlinked"]
    for alarm in found.alarms:
        assert alarm.words("sv") != alarm.words("en")
    assert "60 breaks where 20.0 were expected" in found.alarms[0].words("en")


def test_hardly_any_breaks_alarm_as_few(tmp_path: Path) -> None:
    path = locked(tmp_path, predictions(rate=4.0))
    events = [("p000", date(2023, 5, 1))]
    found = check(path, breaks=log(*events)[0], links=log(*events)[1], through=date(2024, 12, 31))
    assert [alarm.code for alarm in found.alarms] == ["too_few", "thin"]


def test_no_breaks_yet_gives_nulls(tmp_path: Path) -> None:
    found = check(
        locked(tmp_path), breaks=log()[0].cast({"break_date": pl.Date}), links=log()[1], through=date(2023, 2, 1)
    )
    assert found.document()["capture"][0]["capture"] is None
    assert found.years[0]["observed"] == 0
    assert [alarm.code for alarm in found.alarms] == ["thin"]


def test_a_log_that_ends_too_early_is_told(tmp_path: Path) -> None:
    days, links = log(("p000", date(2022, 6, 1)))
    with pytest.raises(InputError, match="ends 2022-06-01, but the prediction was locked"):
        check(locked(tmp_path), breaks=days, links=links)


def rivals(better: bool) -> pl.DataFrame:
    """A challenger that ranks the last tenth first, and the simplest ranking, which knows nothing."""
    number = pl.int_range(pl.len())
    return predictions().with_columns(
        challenger_poisson_glm=pl.when(number >= 180).then(5.0).otherwise(0.5) if better else pl.lit(1.0),
        challenger_past_breaks_per_km=pl.lit(1.0),
    )


def test_a_challenger_that_is_surely_better_alarms(tmp_path: Path) -> None:
    path = locked(tmp_path, rivals(better=True))
    assert list(open_lock(path).rates) == ["vardag", "poisson_glm", "past_breaks_per_km"]
    events = [(f"p{180 + number % 20:03d}", date(2023, 3, 1 + number % 28)) for number in range(20)]
    found = check(path, breaks=log(*events)[0], links=log(*events)[1], through=date(2023, 12, 31))
    assert [alarm.code for alarm in found.alarms] == ["ranking", "challenger", "challenger"]
    assert "Poisson regression caught 100.0 points more" in found.alarms[1].words("en")
    row = found.document()["challengers"][0]
    assert (row["model"], row["lead"][3]) == ("poisson_glm", -1.0)


def test_behind_the_simplest_ranking_by_chance_is_told_as_such(tmp_path: Path) -> None:
    """One of twenty breaks in the top tenth; one in which all tie catches a tenth."""
    path = locked(tmp_path, rivals(better=False))
    events = [(f"p{number:03d}", date(2023, 3, 1)) for number in (0, *range(40, 59))]
    found = check(path, breaks=log(*events)[0], links=log(*events)[1], through=date(2023, 12, 31))
    assert [alarm.code for alarm in found.alarms if alarm.code != "ranking"] == ["behind"]
    assert found.alarms[-1].values["lead"] == pytest.approx(5.0)


def test_years_are_pooled_over_locks(tmp_path: Path) -> None:
    first = locked(tmp_path / "a", rivals(better=False), years=1)
    second = lock(
        rivals(better=False).drop("challenger_poisson_glm"), folder=tmp_path / "b", as_of=date(2023, 12, 31),
        horizon_years=1, model="vardag", run_id="abd", city="Exempelstad",
    )  # fmt: skip
    events = [(f"p{number:03d}", date(2023, 3, 1)) for number in range(20)]
    events += [(f"p{number:03d}", date(2024, 3, 1)) for number in range(20, 40)]
    outcomes = [check(path, breaks=log(*events)[0], links=log(*events)[1]) for path in (first, second)]
    found = pool(outcomes)
    assert [(row["year"], row["observed"]) for row in found.years] == [(2023, 20), (2024, 20)]
    assert found.comparison.captures["vardag"].value[3] == pytest.approx(0.5)
    assert list(found.comparison.leads) == ["past_breaks_per_km"]  # only what both locks hold
    assert found.document()["pooled"]["observed"] == 40
    with pytest.raises(InputError, match="no lock"):
        pool([])
