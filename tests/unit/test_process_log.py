"""Event logs: what is read, what is set aside and why, and what is told of the clocks."""

import gzip
import json
from pathlib import Path

import pytest

from process_logs import event, raw_of, tidied
from vardag.core.errors import InputError
from vardag.invoices.process import EventLog, read_groups, read_source, with_groups
from vardag.invoices.process.reading import guessed

XES = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
 <trace><string key="concept:name" value="7"/>
  <event><string key="concept:name" value="Pröva"/><string key="org:resource" value="anna"/>
   <date key="time:timestamp" value="2026-03-02T08:00:00.000+01:00"/>
   <string key="lifecycle:transition" value="start"/></event>
  <event><string key="concept:name" value="Pröva"/><string key="org:resource" value="anna"/>
   <date key="time:timestamp" value="2026-03-02T08:30:00.000+01:00"/>
   <string key="lifecycle:transition" value="complete"/></event>
  <event><string key="concept:name" value="Svara"/>
   <date key="time:timestamp" value="2026-03-02T09:00:00.000+01:00"/>
   <string key="lifecycle:transition" value="suspend"/></event>
 </trace>
 <event><string key="concept:name" value="Svara"/><date key="time:timestamp" value="2026-03-02T09:00:00Z"/></event>
</log>"""


def kept(log: EventLog) -> bool:
    """Nothing lost: every row is used or in quarantine."""
    return log.rows_in == log.rows_used + log.quarantined.height


def reasons(log: EventLog) -> dict[str, list[int]]:
    return {name: first for name, (_, first) in log.reasons().items()}


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_rows_that_cannot_be_used_are_set_aside_with_their_lines() -> None:
    log = tidied(
        [
            event("1", "a", "2026-03-02 08:00"),
            event(None, "a", "2026-03-02 08:00"),
            event(" ", "a", "2026-03-02 08:00"),
            event("1", "", "2026-03-02 08:00"),
            event("1", "b", None),
            event("1", "b", "02/03/2026"),
            event("1", "b", "2026-13-02"),
            event("1", "b", "2027-03-02 08:00"),
            event("1", "a", "2026-03-02 08:00"),
            event("1", "b", "2026-03-02 08:00", transition="schedule"),
        ]
    )
    assert reasons(log) == {
        "no_case": [3, 4],
        "no_activity": [5],
        "no_time": [6],
        "bad_time": [7, 8],
        "future": [9],
        "duplicate": [10],
        "other_transition": [11],
    }
    assert log.events.height == 1 and kept(log)


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-03-02 08:00", "2026-03-02 07:00:00"),
        ("2026-07-02T08:00:05", "2026-07-02 06:00:05"),
        ("2026-03-02T08:00:00.250Z", "2026-03-02 08:00:00.250000"),
        ("2026-03-02T08:00:00-0530", "2026-03-02 13:30:00"),
        ("2026/3/2 8:05", "2026-03-02 07:05:00"),
        ("2026-03-02", "2026-03-01 23:00:00"),
    ],
)
def test_times_as_they_are_written(written: str, utc: str) -> None:
    log = tidied([event("1", "a", written)])
    assert str(log.events["time"][0]).removesuffix("+00:00") == utc


def test_an_hour_that_does_not_exist_and_one_that_is_twice() -> None:
    log = tidied([event("1", "a", "2026-03-29 02:30"), event("1", "b", "2026-10-25 02:30")])
    assert reasons(log) == {"bad_time": [2]}
    assert log.signs["twice"] == 1


def test_mixed_zones_are_counted() -> None:
    log = tidied([event("1", "a", "2026-03-02 08:00"), event("1", "b", "2026-03-02T08:00Z")])
    assert (log.signs["zoned"], log.signs["unzoned"]) == (1, 1)


def test_order_of_lines_against_order_of_times() -> None:
    hours = ("08", "10", "09")
    log = tidied(event("1", name, f"2026-03-02 {hour}:00") for name, hour in zip("abc", hours, strict=True))
    assert log.signs["out_of_order"] == 1 and log.events["activity"].to_list() == ["a", "c", "b"]


def test_a_file_that_is_newest_first_is_no_fault_and_ties_are_read_backwards() -> None:
    hours = ("10", "09", "09", "08")
    log = tidied(event("1", name, f"2026-03-02 {hour}:00") for name, hour in zip("dcba", hours, strict=True))
    assert log.signs["out_of_order"] == 0 and log.signs["newest_first"] == 1
    assert log.events["activity"].to_list() == ["a", "b", "c", "d"]
    assert log.signs["same_time"] == 2


def test_a_step_that_ends_before_it_begins_loses_its_start_and_is_counted() -> None:
    log = tidied([event("1", "a", "2026-03-02 08:00", start="2026-03-02 09:00")])
    assert log.signs["negative"] == 1 and log.events["start"].to_list() == [None]


def test_the_first_start_belongs_to_the_first_end() -> None:
    log = tidied(
        event("1", "a", f"2026-03-02 {hour}:00", transition=what)
        for hour, what in (
            ("08", "start"),
            ("09", "complete"),
            ("10", "START"),
            ("11", "complete"),
            ("12", "start"),
        )
    )
    spans = (log.events["time"] - log.events["start"]).dt.total_hours().to_list()
    assert spans == [1, 1] and reasons(log) == {"never_ended": [6]} and kept(log)


def test_a_log_of_starts_alone_is_used_and_told() -> None:
    log = tidied([event("1", "a", "2026-03-02 08:00", transition="start")])
    assert log.signs["only_starts"] == 1 and log.events["start"].to_list() == [None]


def test_nothing_is_concluded_from_nothing() -> None:
    with pytest.raises(InputError, match="The log is empty"):
        tidied([])
    with pytest.raises(InputError, match=r"None of the 2 rows can be used. no_case: 2 \(lines \[2, 3\]\)"):
        tidied([event(None, "a", "2026-03-02"), event(None, "b", "2026-03-02")])


@pytest.mark.parametrize("separator", list(";,\t|"))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_tables_in_usual_separators_and_encodings(tmp_path: Path, separator: str, encoding: str) -> None:
    rows = [["Ärende-ID", "Åtgärd", "Tidpunkt", "Handläggare"], ["1", "Prövad", "2026-03-02", "Åsa"]]
    path = write(tmp_path / "log.csv", "\n".join(separator.join(row) for row in rows), encoding)
    source = read_source(path)
    found = source.raw.row(0, named=True)
    assert (found["case"], found["activity"], found["resource"], found["line"]) == ("1", "Prövad", "Åsa", 2)
    assert dict(source.signs) == ({"encoding_guessed": 1} if encoding == "cp1252" else {})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b"one column\n1\n", "has no separator"),
        (b"case;activity;time\n1;\x81;2\n", "unknown encoding"),
        (b"PK\x00\x00;;", "zero bytes"),
        (b'case;activity;time\n1;"a;2026\n', "never closed"),
        (b"case;activity;time\n1;a;2026;more\n", "does not fit"),
        (b"number;what;day\n1;a;2026\n", "Its columns: number, what, day"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=told):
        read_source(path)


def test_columns_as_given_go_before_usual_names(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", "case,Faktura,activity,time\n1,F9,a,2026-03-02\n")
    assert read_source(path, columns="case=Faktura").raw["case"].to_list() == ["F9"]
    for wrong, told in (("case=Nej", "no column Nej"), ("who=case", "not understood"), ("case", "not understood")):
        with pytest.raises(InputError, match=told):
            read_source(path, columns=wrong)


def test_names_of_bpi_challenge_logs_are_usual() -> None:
    there = ["org:resource", "lifecycle:transition", "concept:name", "time:timestamp", "case:concept:name"]
    assert guessed(there, {}, "log")["case"] == "case:concept:name"
    assert guessed(there, {}, "log")["activity"] == "concept:name"


def test_xes_in_plain_and_packed(tmp_path: Path) -> None:
    plain = write(tmp_path / "log.xes", XES)
    packed = tmp_path / "log.xes.gz"
    packed.write_bytes(gzip.compress(XES.encode()))
    assert read_source(plain).raw.equals(read_source(packed).raw)
    rows = read_source(plain).raw
    assert rows["case"].to_list() == ["7", "7", "7", None]
    log = tidied(rows.to_dicts())
    assert reasons(log) == {"other_transition": [3], "no_case": [4]} and kept(log)
    assert (log.events["time"] - log.events["start"]).dt.total_minutes().to_list() == [30]


def test_a_trace_is_a_case_whether_its_name_stands_last_or_nowhere(tmp_path: Path) -> None:
    event_of = '<event><string key="concept:name" value="a"/></event>'
    last = f'<trace>{event_of}<string key="concept:name" value="7"/></trace>'
    path = write(tmp_path / "log.xes", f"<log>{last}<trace>{event_of}{event_of}</trace><trace/></log>")
    assert read_source(path).raw["case"].to_list() == ["7", "#2", "#2"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('<!DOCTYPE log [<!ENTITY x SYSTEM "file:///etc/passwd">]><log/>', "document type"),
        ('<!DOCTYPE log SYSTEM "http://127.0.0.1:1/log.dtd"><log/>', "document type"),
        ("<html/>", "outermost element is 'html'"),
        ("<log><trace>", "no well-formed XES"),
        ("", "no well-formed XES"),
    ],
)
def test_xes_that_is_dangerous_or_broken_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_source(write(tmp_path / "log.xes", text))


def ocel(tmp_path: Path, *, kinds: tuple[str, ...] = ("Invoice", "Mail")) -> Path:
    objects = [{"id": f"{kind}{number}", "type": kind} for kind in kinds for number in (1, 2)]
    related = [["Invoice1", "Mail1"], ["Invoice1", "Invoice2"], ["Mail2"], ["gone"]]
    events = [
        {
            "id": str(number),
            "type": "step",
            "time": f"2026-03-02T0{number}:00:00Z",
            "attributes": [{"name": "resource", "value": "anna"}],
            "relationships": [{"objectId": one, "qualifier": ""} for one in ids],
        }
        for number, ids in enumerate(related, start=1)
    ]
    return write(tmp_path / "log.json", json.dumps({"objects": objects, "events": events}))


def test_ocel_is_flattened_on_one_kind_of_object(tmp_path: Path) -> None:
    source = read_source(ocel(tmp_path), object_type="Invoice")
    assert source.raw["case"].to_list() == ["Invoice1", "Invoice1", "Invoice2", None, None]
    assert source.raw["resource"].unique().to_list() == ["anna"] and source.signs == {"multiplied": 1}
    assert read_source(ocel(tmp_path, kinds=("Invoice",))).raw.height == 5


@pytest.mark.parametrize("asked", ["", "Order"])
def test_ocel_asks_which_object_is_the_case(tmp_path: Path, asked: str) -> None:
    with pytest.raises(InputError, match="--object-type, of: Invoice, Mail"):
        read_source(ocel(tmp_path), object_type=asked)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "no",
        '{"events": [], "objects": [{"id": "1", "type": "\\ud800"}]}',
        '{"events": [1], "objects": []}',
        '{"events": [], "objects": [{}]}',
    ],
)
def test_json_that_is_no_ocel_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="is no"):
        read_source(write(tmp_path / "log.json", text))


def test_ocel_with_odd_fields_loses_no_event(tmp_path: Path) -> None:
    odd = [{"type": "a", "relationships": 7, "attributes": "x", "time": 5}, {"type": "a", "relationships": [3, {}]}]
    document = {"objects": [{"id": "1", "type": "Invoice"}], "events": odd}
    assert read_source(write(tmp_path / "log.json", json.dumps(document))).raw["case"].to_list() == [None, None]


def test_a_packed_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.xes.gz"
    packed = gzip.compress(XES.encode())
    for data in (packed[:40], packed[:30] + b"\xff" * 30 + packed[60:], b"no gzip"):
        path.write_bytes(data)
        with pytest.raises(InputError, match="no well-formed XES"):
            read_source(path)


def test_a_zone_that_does_not_exist_is_no_time() -> None:
    log = tidied([event("1", "a", "2026-03-02T08:00+99:00"), event("1", "b", "2026-03-02T08:00+02:00")])
    assert reasons(log) == {"bad_time": [2]}


def test_other_files_and_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown kind of file"):
        read_source(write(tmp_path / "log.xlsx", "x"))
    with pytest.raises(InputError, match="is no file"):
        read_source(tmp_path / "none.csv")


def test_groups_come_from_a_table(tmp_path: Path) -> None:
    groups = read_groups(write(tmp_path / "groups.csv", "resource;group\nanna;Ekonomi\nbo;\n"))
    rows = [
        event("1", "a", None, resource=name, group=was) for name, was in (("anna", "X"), ("bo", "Y"), (None, None))
    ]
    assert with_groups(raw_of(rows), groups)["group"].to_list() == ["Ekonomi", "Y", None]
