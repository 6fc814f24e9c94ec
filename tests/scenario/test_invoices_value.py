"""Hours and their worth through the command line: the stopwatch before, the robot, the desk, the account."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from offices import Office, invoice, mail, office
from vardag.core.errors import InputError, NotFoundError
from vardag.invoices import audit
from vardag.invoices.commands.init import init
from vardag.invoices.model import Money
from vardag.invoices.robot import people

NUMBERS = [str(1234560 + place) for place in range(3)]
BEFORE = [9.0, 11.0] * 10


VARDAG = Path(sys.executable).with_name("vardag")


def vardag(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    env = {**os.environ, "VARDAG_LANGUAGE": "en", **environment}
    return subprocess.run([VARDAG, *arguments], capture_output=True, text=True, check=False, env=env)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A robot's folder with twenty observations of the stopwatch."""
    init(tmp_path / "robot")
    lines = "".join(f"cancelled,{minutes:g},2026-03-02\n" for minutes in BEFORE)
    (tmp_path / "robot" / "timings.csv").write_text(f"kind,minutes,date\n{lines}")
    return tmp_path / "robot"


@pytest.fixture
def worked(folder: Path) -> Iterator[Office]:
    """Two cancelled alone, one that nobody knows of rejected, one dear that Bo and Cecilia confirm at the desk."""
    mails = [mail(f"Makulera faktura {one}. Fel mottagare.", number=int(one)) for one in (*NUMBERS, "9999999")]
    dear = invoice(NUMBERS[2], total=Money(Decimal(50_000)))
    found = office(folder, [invoice(NUMBERS[0]), invoice(NUMBERS[1]), dear], mails)
    found.work()
    for person in ("bo", "cecilia"):
        noted(found, "opened", 3, by=person)
        people.approve(found.robot.store, 3, by=person, reason="ja")
        found.work()
    yield found
    found.robot.store.close()


def noted(found: Office, event: str, item: int, *, by: str) -> None:
    """As the desk writes what a person does there."""
    with found.robot.store.begin() as tx:
        audit.append(tx, event, actor=by, item=item)


def reported(folder: Path, *more: str, **environment: str) -> dict[str, Any]:
    done = vardag("invoices", "report", str(folder), "--json", *more, **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_account_of_a_day(folder: Path, worked: Office) -> None:
    facts = reported(folder)
    account = facts["account"]
    assert [(line["outcome"], line["items"]) for line in account["total"]["lines"] if line["items"]] == [
        ("cancelled_alone", 2),
        ("cancelled_with_person", 1),
        ("rejected_alone", 1),
    ]
    assert facts["saved_hours"] == pytest.approx((10 + 10 + 10 - 3 + 6) / 60)
    assert account["total"]["assumed_saved"] == pytest.approx((7 + 6) / 60)
    low, high = account["total"]["interval"]
    assert low < 20 / 60 < high
    assert account["total"]["worth"]["amount"] == "52500.00"
    assert account["decided"] == 1  # both persons at one item
    assert account["unknown"] == 0
    assert facts["answer_minutes"] is not None
    assert any("Nobody has objected to any of the 4 items" in one for one in facts["limits"])
    assert any("rejected and answered" in one for one in facts["limits"])
    assert [month["saved_hours"] for month in account["months"]] == [pytest.approx(facts["saved_hours"])]


def test_an_objection_is_counted_against_the_robot_once(folder: Path, worked: Office) -> None:
    before = reported(folder)["saved_hours"]
    for person in ("anna", "bo"):
        noted(worked, "objected", 1, by=person)
    after = reported(folder)
    assert after["saved_hours"] == pytest.approx(before - 30 / 60)
    assert after["account"]["total"]["worth"]["wrong"]["part"] == 1


def test_the_table_for_the_budget(folder: Path, worked: Office, tmp_path: Path) -> None:
    paths = tmp_path / "hours.csv", tmp_path / "timmar.csv"
    saved = reported(folder, "--csv", str(paths[0]))["saved_hours"]
    with paths[0].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["outcome"], row["n"], row["source_before"], row["source_after"]) for row in rows] == [
        ("cancelled_alone", "2", "measured", "stated"),
        ("cancelled_with_person", "1", "measured", "assumed"),
        ("rejected_alone", "1", "assumed", "stated"),
    ]
    assert sum(float(row["hours_saved"]) for row in rows) == pytest.approx(saved, abs=1e-3)
    assert float(rows[0]["hours_low"]) < float(rows[0]["hours_saved"]) < float(rows[0]["hours_high"])
    assert rows[2]["hours_low"] == ""
    reported(folder, "--csv", str(paths[1]), VARDAG_LANGUAGE="sv")
    with paths[1].open(encoding="utf-8-sig", newline="") as file:
        swedish = list(csv.DictReader(file, delimiter=";"))
    assert swedish[0]["betydelse"] == "makulerade av roboten ensam"
    assert swedish[0]["minuter_före"] == "10,0"


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_is_complete_in_itself(folder: Path, worked: Office, tmp_path: Path, language: str) -> None:
    said = "<script>calls</script>"
    (folder / "freed.yaml").write_text(f'- {{month: 2026-11, hours: 1, to: "{said}", said_by: head}}')
    path = tmp_path / "hours.html"
    facts = reported(folder, "--html", str(path), VARDAG_LANGUAGE=language)
    text = path.read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in text
    assert "&lt;script&gt;calls" in text
    assert not re.search(r"<script|<link|<img|@import|url\(|\ssrc=|href=", text)
    assert facts["head"] in text
    for name in ("Anna", "anna.berg", "Eks Bygg"):
        assert name not in text
    assert text.count('<rect class="known"') == len(facts["account"]["months"])


@pytest.mark.parametrize(("language", "words"), [("sv", "vet"), ("en", "does not know")])
def test_the_terminal_tells_what_is_not_known(folder: Path, worked: Office, language: str, words: str) -> None:
    (folder / "freed.yaml").write_text("- {month: 2026-11, hours: 1, to: calls, said_by: head}")
    done = vardag("invoices", "report", str(folder), VARDAG_LANGUAGE=language, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert words in done.stdout
    assert done.stdout.count("· ") >= 5


def test_the_stopwatch_notes_and_counts(folder: Path) -> None:
    done = vardag("invoices", "time", str(folder), "cancelled", "8,5", "--date", "2026-03-03")
    assert done.returncode == 0, done.stderr
    assert "Observations of this kind: 21" in done.stdout
    assert (folder / "timings.csv").read_text().splitlines()[-1] == "cancelled,8.5,2026-03-03"
    assert vardag("invoices", "time", str(folder), "unclear", "20").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("makulerad", "8"), "kind is 'makulerad', expected one of cancelled, rejected, done, ignored, unclear"),
        (("cancelled", "åtta"), "minutes is 'åtta', expected a number"),
        (("cancelled", "300"), "expected more than 0 and at most 240"),
        (("cancelled", "8", "--date", "2999-01-01"), "which has not come yet"),
        (("cancelled", "8", "--role", "handläggare"), "has no column role"),
    ],
)
def test_what_the_stopwatch_refuses(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    before = (folder / "timings.csv").read_bytes()
    done = vardag("invoices", "time", str(folder), *arguments)
    assert done.returncode == InputError.exit_code
    assert says in " ".join(done.stderr.split())
    assert (folder / "timings.csv").read_bytes() == before


def test_no_stopwatch_without_a_robot(tmp_path: Path) -> None:
    assert vardag("invoices", "time", str(tmp_path), "cancelled", "8").returncode == NotFoundError.exit_code
    assert list(tmp_path.iterdir()) == []


def test_a_broken_line_ends_the_report_and_is_named(folder: Path) -> None:
    with (folder / "timings.csv").open("a") as file:
        file.write("cancelled,tolv,2026-03-03\n")
    done = vardag("invoices", "report", str(folder))
    assert done.returncode == InputError.exit_code
    assert "timings.csv: 1 of 21 lines cannot be used: line 22: minutes is 'tolv'" in " ".join(done.stderr.split())
