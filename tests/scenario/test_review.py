"""The queue of doubtful links: settled, reloaded with a changed file, undone; with the real commands."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vardag.app.cli import app
from vardag.core.errors import InputError, NotFoundError, RefusedError
from vardag.water.commands import review
from vardag.water.commands.load import load

CITY = """
[city]
name = "Provstad"
crs = "EPSG:3006"
owner = "VA"
record_start = 2000-01-01
record_end = 2020-12-31

[sources.pipes]
table = "pipe"
path = "pipes.csv"
date = {day}
columns = {{ pipe_id = "id", material = "material", install_year = "year", street = "street" }}
geometry = {{ wkt = "wkt" }}

[sources.log]
table = "break"
path = "log.csv"
columns = {{ break_date = "day", asset_id = "pipe", street = "street" }}
geometry = {{ x = "x", y = "y" }}
"""
PIPES = ["A,CI,1960,Storgatan,0", "B,CI,1960,Storgatan,4", "C,PVC,2015,Storgatan,8", "D,CI,1950,Kvarngatan,900"]
LOG = ["2010-05-01,,Storgatan,550050,6500002", "2011-06-01,D,Kvarngatan,550050,6500901"]


def write(folder: Path, pipes: list[str] = PIPES, log: list[str] = LOG, *, day: str = "2020-01-31") -> Path:
    """A city of three pipes side by side and one far away; the first break lies between two of them."""
    folder.mkdir(exist_ok=True)
    (folder / "city.toml").write_text(CITY.format(day=day), encoding="utf-8")
    lines = [row.rsplit(",", 1) for row in pipes]
    shapes = [
        f'{fields},"LINESTRING (550000 {6500000 + int(y)}, 550100 {6500000 + int(y)})"' for fields, y in lines
    ]
    (folder / "pipes.csv").write_text("\n".join(["id,material,year,street,wkt", *shapes]) + "\n", encoding="utf-8")
    (folder / "log.csv").write_text("\n".join(["day,pipe,street,x,y", *log]) + "\n", encoding="utf-8")
    load(folder)
    return folder


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write(tmp_path / "city")


def doubtful(folder: Path) -> list[tuple[str, str]]:
    return [(row["break_id"], row["reason"]) for row in review.review(folder)["queue"]]


def link_of(folder: Path, break_id: str) -> tuple[str | None, str, str]:
    link = review.show(folder, break_id)["link"]
    return link["pipe_key"], link["method"], link["reason"]


def settle(folder: Path, break_id: str, pipe: str | None) -> None:
    review.settle(folder, break_id, pipe=pipe, by="A. Berg", reason="seen in the trench")


def test_a_break_between_two_pipes_is_settled_and_undone(city: Path) -> None:
    assert doubtful(city) == [("log:2", "near_equal")]
    shown = review.show(city, "log:2")
    assert [row["pipe_key"] for row in shown["candidates"]] == ["A", "B"]  # C was laid after the break
    assert json.loads(shown["candidates"][0]["evidence"])["street"] == "agrees"
    settle(city, "log:2", "B")
    assert doubtful(city) == []
    assert link_of(city, "log:2") == ("B", "person", "settled_by_person")
    review.undo(city, "log:2")
    assert doubtful(city) == [("log:2", "near_equal")]
    with pytest.raises(NotFoundError, match="is not settled"):
        review.undo(city, "log:2")


def test_what_is_settled_outlives_a_reload_with_rows_inserted_above(city: Path) -> None:
    settle(city, "log:2", "B")
    write(city, log=["2009-01-01,D,Kvarngatan,550050,6500901", *LOG])
    assert link_of(city, "log:3") == ("B", "person", "settled_by_person")
    assert link_of(city, "log:2")[0] == "D"
    assert doubtful(city) == []
    write(city)
    assert link_of(city, "log:2") == ("B", "person", "settled_by_person")


def test_a_settlement_whose_break_has_a_new_number_is_shown_undone_and_safe_under_it(city: Path) -> None:
    settle(city, "log:2", "B")
    write(city, log=["2009-01-01,D,Kvarngatan,550050,6500901", *LOG])
    assert review.show(city, "log:3")["settlement"]["pipe_key"] == "B"
    settle(city, "log:2", "D")  # another break has the old number now
    assert link_of(city, "log:3")[:2] == ("B", "person")
    assert review.undo(city, "log:3")["pipe_key"] == "B"
    assert link_of(city, "log:2")[:2] == ("D", "person")
    assert link_of(city, "log:3")[1] != "person"


def test_a_settled_break_that_has_changed_comes_back_to_the_queue(city: Path) -> None:
    settle(city, "log:2", "B")
    write(city, log=["2010-05-02,,Storgatan,550050,6500002", LOG[1]])
    assert doubtful(city) == [("log:2", "settled_break_changed")]
    assert link_of(city, "log:2")[1] != "person"
    settle(city, "log:2", "A")
    assert link_of(city, "log:2")[:2] == ("A", "person")


def test_a_settlement_follows_its_pipe_out_of_the_register_and_back(city: Path) -> None:
    settle(city, "log:2", "B")
    write(city, pipes=[PIPES[0], *PIPES[2:]], day="2021-01-31")
    assert link_of(city, "log:2") == ("B@1960", "person", "settled_by_person")
    assert doubtful(city) == []
    write(city, pipes=[PIPES[0], "B,PE,2020,Storgatan,4", *PIPES[2:]], day="2022-01-31")  # a new pipe has its id
    assert link_of(city, "log:2") == ("B@1960", "person", "settled_by_person")
    write(city, day="2023-01-31")
    assert link_of(city, "log:2") == ("B", "person", "settled_by_person")
    assert review.show(city, "log:2")["settlement"]["pipe_key"] == "B"


def test_a_settled_pipe_that_turns_out_to_be_laid_later_comes_back_to_the_queue(city: Path) -> None:
    settle(city, "log:2", "B")
    write(city, pipes=[PIPES[0], "B,CI,2012,Storgatan,4", *PIPES[2:]], day="2021-01-31")
    assert doubtful(city) == [("log:2", "settled_pipe_not_in_service")]
    assert link_of(city, "log:2") == ("A", "position", "position_agrees")


def test_a_break_that_vanishes_keeps_its_settlement(city: Path) -> None:
    write(city, log=LOG[::-1])
    settle(city, "log:3", "B")
    write(city, log=LOG[1:])
    with pytest.raises(NotFoundError):
        review.show(city, "log:3")
    orphans = review.review(city)["orphans"]
    assert [(row["break_id"], row["pipe_key"], row["settled_by"]) for row in orphans] == [("log:3", "B", "A. Berg")]
    write(city)
    assert link_of(city, "log:2")[:2] == ("B", "person")


def test_none_of_the_registers_pipes(city: Path) -> None:
    settle(city, "log:2", None)
    assert link_of(city, "log:2") == (None, "person", "settled_by_person")


def test_none_of_the_registers_pipes_is_the_rebuilt_one_where_the_id_is_lost(city: Path) -> None:
    write(city, log=[LOG[0].replace(",,", ",X,"), LOG[1].replace(",D,", ",C,")])
    for break_id, key in (("log:2", "X@unknown"), ("log:3", "C@unknown")):
        settle(city, break_id, None)
        assert link_of(city, break_id)[:2] == (key, "rebuilt")


def test_a_break_without_id_is_linked_to_the_pipe_that_has_left_the_register_since(tmp_path: Path) -> None:
    log = [f"{year}-05-01,,Storgatan,550050,6500004" for year in (2010, 2016)]
    city = write(tmp_path / "city", [PIPES[1], PIPES[3]], log, day="2012-01-31")
    assert link_of(city, "log:2")[0] == link_of(city, "log:3")[0] == "B"
    write(city, PIPES[3:], log, day="2014-01-31")
    assert link_of(city, "log:2") == ("B@1960", "position", "position_agrees")
    assert link_of(city, "log:3") == (None, "none", "nothing_near")


def test_a_settlement_needs_a_break_a_pipe_of_that_day_a_name_and_a_reason(city: Path) -> None:
    with pytest.raises(NotFoundError, match="no break 'x'"):
        settle(city, "x", "A")
    with pytest.raises(NotFoundError, match="no pipe 'X'"):
        settle(city, "log:2", "X")
    with pytest.raises(RefusedError, match="from 2015-01-01"):
        settle(city, "log:2", "C")
    with pytest.raises(InputError, match="say who"):
        review.settle(city, "log:2", pipe="A", by=" ", reason="seen")
    assert doubtful(city) == [("log:2", "near_equal")]


def fill(sheet: Path, **values: str) -> None:
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    with sheet.open("w", encoding="cp1252", newline="") as stream:  # as a spreadsheet saves it
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(row | values for row in rows)


def test_a_sheet_is_filled_in_and_read_back(city: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "queue.csv"
    assert review.export(city, sheet) == 1
    assert review.import_sheet(city, sheet) == 0
    fill(sheet, settle_pipe="B", settled_by="Åsa", settled_reason="schakt")
    assert review.import_sheet(city, sheet) == 1
    assert review.show(city, "log:2")["settlement"]["settled_by"] == "Åsa"


def test_a_bad_sheet_settles_nothing(city: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "queue.csv"
    write(city, log=[*LOG, "2012-01-01,,Storgatan,550060,6500002"])
    assert review.export(city, sheet) == 2
    fill(sheet, settle_pipe="B", settled_by="A", settled_reason="b")
    text = sheet.read_text(encoding="cp1252").splitlines()
    sheet.write_text("\n".join([text[0], text[1], text[2].replace(";B;A;b", ";X;A;b")]), encoding="utf-8")
    with pytest.raises(InputError, match=r"queue\.csv line 3: no pipe 'X'.*Nothing was settled"):
        review.import_sheet(city, sheet)
    assert len(doubtful(city)) == 2
    sheet.write_text("\n".join([text[0], text[1], text[1]]), encoding="utf-8")
    with pytest.raises(InputError, match="on several lines"):
        review.import_sheet(city, sheet)
    sheet.write_text("a;b\n1;2\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column 'break_id'"):
        review.import_sheet(city, sheet)


def test_a_sheet_older_than_the_log_is_refused(city: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "queue.csv"
    review.export(city, sheet)
    fill(sheet, settle_pipe="B", settled_by="A", settled_reason="b")
    write(city, log=["2010-05-02,,Storgatan,550050,6500002", LOG[1]])
    with pytest.raises(InputError, match="have changed or gone since the sheet was written"):
        review.import_sheet(city, sheet)


def test_every_command_speaks_json_and_words(city: Path, tmp_path: Path) -> None:
    told = ["--by", "A", "--reason", "b"]
    commands = [
        ["links", str(city)], ["review", "list", str(city)], ["review", "show", str(city), "log:2"],
        ["review", "export", str(city), str(tmp_path / "q.csv")],
        ["review", "import", str(city), str(tmp_path / "q.csv")],
        ["review", "settle", str(city), "log:2", "--none", *told], ["review", "show", str(city), "log:2"],
    ]  # fmt: skip
    for command in commands:
        assert CliRunner().invoke(app, ["water", *command]).exit_code == 0, command
        found = CliRunner().invoke(app, ["water", *command, "--json"])
        assert isinstance(json.loads(found.stdout), dict)
    told_in_words = CliRunner().invoke(app, ["water", "review", "undo", str(city), "log:2"]).stdout
    assert "log:2" in told_in_words and "None" not in told_in_words
    both = CliRunner().invoke(
        app, ["water", "review", "settle", str(city), "log:2", "--none", "--pipe", "A", *told]
    )
    assert both.exit_code == 2
