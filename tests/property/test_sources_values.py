"""Dates and numbers written in any notation read back as what they were, against plain Python."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vardag.water.sources.date_survey import DateSurvey
from vardag.water.sources.dates import FAMILIES, Clock, parse_dates
from vardag.water.sources.fields import Field
from vardag.water.sources.numbers import parse_numbers

days = st.dates(date(1800, 1, 1), date(2100, 12, 31))
FULL = [family[0] for family in FAMILIES if "%d" in family[0] and "%b" not in family[0]]


@given(days=st.lists(days, min_size=1, max_size=20), notation=st.sampled_from([*FULL, "%m/%d/%Y"]))
def test_dates_read_back(days: list[date], notation: str) -> None:
    text = pl.Series([day.strftime(notation) for day in days])
    assert parse_dates(text, (notation,), Clock("Europe/Stockholm")).to_list() == days


@given(days=st.lists(days, min_size=1, max_size=20), cut=st.integers(0, 20))
def test_the_order_found_never_misreads_a_column(days: list[date], cut: int) -> None:
    text = [day.strftime("%m/%d/%Y") for day in days]
    survey = DateSurvey(Field("break_date", "date", "D", required=True, clock=Clock("Europe/Stockholm")))
    for part in (text[:cut], text[cut:]):
        survey.look(pl.Series(part, dtype=pl.String), pl.Series(range(len(part))))
    shows_order = any(day.day > 12 for day in days)
    same_either_way = all(day.day == day.month for day in days)
    if not shows_order and not same_either_way:
        with pytest.raises(Exception, match="cannot be told apart"):
            survey.decide("log")
        return
    read = parse_dates(pl.Series(text), survey.decide("log"), Clock("Europe/Stockholm"))
    assert read.to_list() == days


@settings(max_examples=50)
@given(
    moment=st.datetimes(datetime(1950, 1, 1), datetime(2050, 1, 1)).map(lambda at: at.replace(microsecond=0)),
    hours=st.integers(-12, 14),
    city=st.sampled_from(["Europe/Stockholm", "America/Toronto", "Asia/Kolkata"]),
)
def test_instants_fall_on_the_citys_day(moment: datetime, hours: int, city: str) -> None:
    written = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    text = pl.Series([written.isoformat(sep=" ")])
    local = moment.date() if moment.time() == datetime.min.time() else written.astimezone(ZoneInfo(city)).date()
    assert parse_dates(text, ("%Y-%m-%d",), Clock(city)).to_list() == [local]
    if moment.time() != datetime.min.time():
        milliseconds = round(written.astimezone(UTC).timestamp()) * 1000
        if 10**10 <= abs(milliseconds) < 10**13 and milliseconds % 86_400_000:
            assert parse_dates(pl.Series([str(milliseconds)]), ("epoch_ms",), Clock(city)).to_list() == [local]


@given(value=st.integers(-(10**9), 10**9).map(lambda n: n / 1000), comma=st.booleans(), grouped=st.booleans())
def test_numbers_read_back(value: float, comma: bool, grouped: bool) -> None:
    text = f"{value:,.3f}" if grouped else f"{value:.3f}"
    if comma:
        text = text.translate(str.maketrans(",.", ".,"))
    read = parse_numbers(pl.Series([text, text + " cm"]), decimal="," if comma else ".", to="m")
    assert read.to_list() == [pytest.approx(value), pytest.approx(value / 100)]
