"""Each data check finds what it is named for, and nothing in sound data."""

from datetime import date

import polars as pl
import pytest

from layer_faults import LAYER_FAULTS
from registers import PARAMETERS, breaks, event, pipe, pipes, point, quarantine
from vardag.water.checks import CHECKS, TEXTS, CheckData, CheckResult, checks_reference, results_frame, run_checks
from vardag.water.schema import CHECK_RESULT

DAY, RECORD_END = date(2010, 5, 4), date(2022, 12, 31)
PVC, SMALL = {"material": "PVC"}, {"diameter_mm": 15.0}
PER_YEAR = {1990: 1, 1993: 1, 1997: 9, 1998: 8, 1999: 1, 2000: 9, 2001: 7, 2002: 9, 2003: 2}
RETIRED = {"status": "retired"}


def data(
    register: list[dict[str, object]], log: list[dict[str, object]] | None = None, **values: object
) -> CheckData:
    reasons = values.pop("reasons", ())
    return CheckData(
        pipes=pipes(*register),
        breaks=breaks(*(log or [])),
        quarantine=quarantine(reasons),  # type: ignore[arg-type]
        parameters=PARAMETERS,
        **values,  # type: ignore[arg-type]
    )


def result(name: str, given: CheckData, language: str = "en") -> CheckResult:
    return next(found for found in run_checks(given, language=language) if found.name == name)


FAULTS = {
    "duplicate_ids": (data([pipe("a"), pipe("a"), pipe("b")], reasons=["duplicate_id", "no_date"]), 2),
    "zero_lengths": (
        data([pipe("a", length_m=0.0), pipe("b", length_m=None), pipe("c")], reasons=["zero_length"]),
        3,
    ),
    "length_differs_from_geometry": (data([pipe("a", length_m=30.48), pipe("b", length_m=101.0)]), 1),
    "missing_install_year": (data([pipe("a", install_year=None), pipe("b")]), 1),
    "impossible_install_year": (
        data([pipe("a", install_year=1066), pipe("b", install_year=2050), pipe("c")], record_end=RECORD_END),
        2,
    ),
    "unknown_materials": (
        data([pipe("a", material="OTHER", material_raw="XXX"), pipe("b", material="UNKNOWN", material_raw=None)]),
        1,
    ),
    "material_impossible_for_year": (
        data([pipe("a", install_year=1920, **PVC), pipe("b", install_year=1980, **PVC)]),
        1,
    ),
    "impossible_diameter": (
        data([pipe("a", **SMALL), pipe("b", diameter_mm=0.0), pipe("s", function="service", **SMALL)]),
        2,
    ),
    "undated_status_retired": (data([pipe("a", **RETIRED), pipe("b", retired_date=DAY, **RETIRED)]), 1),
    "breaks_before_installation": (
        data(
            [pipe("a", install_year=2015), pipe("b")],
            [event("1", DAY, "a"), event("2", DAY, "b"), event("3", DAY, "gone")],
        ),
        1,
    ),
    "break_details_of_later_pipe": (data([], [event("1", DAY, install_year=2012), event("2", DAY)]), 1),
    "breaks_far_from_any_pipe": (
        data([pipe("a")], [event("1", DAY, geom=point(50, 70)), event("2", DAY), event("3", DAY, geom=None)]),
        1,
    ),
    "breaks_outside_record": (
        data([], [event("1", date(1990, 1, 1)), event("2", DAY), event("3", date(2023, 1, 2))],
             record_start=date(1997, 1, 1), record_end=RECORD_END),
        2,
    ),
    "breaks_without_date_or_position": (
        data([], [event("1", None), event("2", DAY, geom=None), event("3", DAY)], reasons=["unreadable_date"]),
        3,
    ),
    "break_dates_on_one_day": (
        data([], [event(f"d{n}", date(2010, 1, 1)) for n in range(5)] + [event(f"e{n}", DAY) for n in range(9)]),
        5,
    ),
    "log_year_gaps": (
        data([], [event(f"{year}-{n}", date(year, 3, n + 1)) for year in PER_YEAR for n in range(PER_YEAR[year])]),
        8,
    ),
    "pipes_without_material": (
        data([pipe("a", material="UNKNOWN"), pipe("b", material=None), pipe("c", material="OTHER")]),
        2,
    ),
    "repeated_breaks": (
        data([], [event("1", DAY, "a", geom=None), event("2", DAY, " a", geom=None), event("3", DAY),
                  event("4", DAY), event("5", DAY, "0", geom=None), event("6", DAY, "0", geom=None)]),
        2,
    ),
    "same_ids_in_two_sources": (
        CheckData(
            pipes=pipes(pipe("a"), pipe("b", source="other")), breaks=breaks(), parameters=PARAMETERS,
            quarantine=quarantine(["duplicate_id"] * 2).with_columns(
                detail=pl.Series(["pipe_id b", "pipe_id a"]), line=pl.Series([2, 3])
            ),
        ),
        1,
    ),
    **{name: (data([pipe("a")], layers=layers), rows) for name, (layers, rows) in LAYER_FAULTS.items()},
}  # fmt: skip


def test_every_check_has_a_fault_here_and_texts_in_both_languages() -> None:
    assert set(FAULTS) == set(CHECKS)
    assert TEXTS.incomplete() == []
    assert all(TEXTS.has(name + part) for name in CHECKS for part in ("", "_doc", "_cure"))


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize("name", FAULTS)
def test_check_counts_the_fault_and_says_what_to_do(name: str, language: str) -> None:
    given, rows = FAULTS[name]
    found = result(name, given, language)
    assert found.rows == rows <= found.total
    assert found.first_ids
    assert f"{rows} " in found.message
    assert found.first_ids.split(", ")[0] in found.message
    assert found.cure


def test_sound_data_and_empty_tables_give_no_finding() -> None:
    log = [event(str(year), date(year, 5, 4), "a") for year in range(1997, 2010)]
    for given in (data([pipe("a")], log, record_start=date(1997, 1, 1), record_end=date(2009, 12, 31)), data([])):
        results = run_checks(given, language="en")
        assert [found.name for found in results if found.rows or found.cure] == []
        assert len(results) == len(CHECKS)


def test_message_is_written_as_the_design_says() -> None:
    register = [pipe(str(number), install_year=None if number < 1002 else 1960) for number in range(1500)]
    assert result("missing_install_year", data(register)).message == (
        "install_year: 1,002 of 1,500 pipes have none (first: 0, 1, 2)."
    )
    assert result("missing_install_year", data(register), "sv").message == (
        "install_year: 1 002 av 1 500 ledningar saknar anläggningsår (först: 0, 1, 2)."
    )


def test_gaps_propose_the_start_of_the_record() -> None:
    message = result("log_year_gaps", FAULTS["log_year_gaps"][0]).message
    assert message.endswith("The record seems to start on 1997-01-01.")


def test_gaps_before_the_stated_start_are_no_fault() -> None:
    given = FAULTS["log_year_gaps"][0]
    stated = CheckData(
        pipes=given.pipes, breaks=given.breaks, quarantine=given.quarantine, parameters=PARAMETERS,
        record_start=date(1997, 1, 1), record_end=date(2002, 12, 31),
    )  # fmt: skip
    assert result("log_year_gaps", stated).first_ids == "1999"


def test_far_breaks_are_not_asked_where_no_pipe_has_a_place() -> None:
    found = result("breaks_far_from_any_pipe", data([pipe("a", geom=None, position="none")], [event("1", DAY)]))
    assert (found.rows, found.total, found.message) == (0, 0, "nothing to look at.")


def test_results_fit_their_table_and_the_reference_lists_every_check() -> None:
    frame = results_frame(run_checks(data([pipe("a")]), language="sv"))
    assert tuple(frame.columns) == CHECK_RESULT.names
    assert frame["rows"].dtype == pl.Int64
    for language in ("en", "sv"):
        page = checks_reference(language=language)
        assert all(f"| `{name}` |" in page for name in CHECKS)
