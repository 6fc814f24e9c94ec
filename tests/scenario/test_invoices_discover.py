"""`vardag invoices discover` as a person calls it: a table, the robot's own folder, and what is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vardag.app.robots import database
from vardag.invoices import audit
from vardag.invoices.commands.init import init

VARDAG = Path(sys.executable).with_name("vardag")
LOG = """Ärende;Aktivitet;Tidpunkt
1;Begäran;2026-03-02 08:00
1;Kredit;2026-03-02 09:00
2;Begäran;2026-03-02 08:00
;Kredit;2026-03-02 10:00
"""


def discover(*arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "VARDAG_LANGUAGE": language}
    command = [VARDAG, "invoices", "discover", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


@pytest.mark.parametrize(
    ("language", "says"), [("en", "2 cases, 3 events, 2 ways"), ("sv", "2 ärenden, 3 händelser, 2 vägar")]
)
def test_a_table_becomes_a_page_and_numbers(tmp_path: Path, language: str, says: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(LOG, encoding="utf-8")
    done = discover(str(path), "--out", str(tmp_path / "out"), language=language)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
    assert f'lang="{language}"' in (tmp_path / "out" / "discovery.html").read_text(encoding="utf-8")
    numbers = json.loads((tmp_path / "out" / "discovery.json").read_text(encoding="utf-8"))
    assert numbers["rows"] == {"in": 4, "used": 3, "quarantined": 1}
    assert numbers["quarantine"] == [{"reason": "no_case", "rows": 1, "first": [5]}]
    assert numbers["columns"] == {"case": "Ärende", "activity": "Aktivitet", "time": "Tidpunkt"}


def test_the_robots_own_folder_is_a_log(tmp_path: Path) -> None:
    init(tmp_path / "robot", language="en")
    empty = discover(str(tmp_path / "robot"))
    assert empty.returncode == 2 and "holds no work item yet" in empty.stderr
    store = database(tmp_path / "robot")
    with store.begin() as tx:
        audit.append(tx, "paused", actor="anna", why="a look")
        for number in (1, 2):
            audit.append(tx, "received", actor="vardag 0.1.0", item=number)
            audit.append(tx, "settled", actor="vardag 0.1.0", item=number, state="waiting")
        audit.append(tx, "closed by hand", actor="anna", item=1, state="done")
    store.close()
    done = discover(str(tmp_path / "robot"), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(row["variant"], row["cases"]) for row in found["variants"]] == [
        (["received", "settled: waiting"], 1),
        (["received", "settled: waiting", "closed by hand: done"], 1),
    ]
    assert found["hands"]["handovers"] == 1 and "anna" not in done.stdout and found["written"] == []


def test_a_log_that_cannot_be_used_ends_with_what_was_found(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("number;what;day\n1;a;2026-03-02\n", encoding="utf-8")
    done = discover(str(path))
    assert done.returncode == 2
    assert "Its columns: number, what, day" in " ".join(done.stderr.split())
    path.write_text("case;activity;time\n", encoding="utf-8")
    assert discover(str(path)).returncode == 2


MAPPED = """Ärende;Aktivitet;Tidpunkt
1;Läs mejlet;2026-03-02 08:00
1;Leta upp fakturan;2026-03-02 09:00
1;Svara den som frågade;2026-03-02 10:00
2;LÄS MEJLET;2026-03-02 08:00
2;find;2026-03-02 09:00
2;Ringa;2026-03-02 10:00
"""


def test_a_log_on_a_map(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(MAPPED, encoding="utf-8")
    done = discover(str(path), "--map", "before", "--out", str(tmp_path / "out"), language="sv")
    assert done.returncode == 0, done.stderr
    assert "På kartan: Makulera eller kreditera en felaktig faktura, som det gjordes" in done.stdout
    found = json.loads((tmp_path / "out" / "discovery.json").read_text(encoding="utf-8"))["map"]
    assert found["matched"] == {
        "LÄS MEJLET": "open", "Läs mejlet": "open", "find": "find", "Leta upp fakturan": "find",
        "Svara den som frågade": "answer",
    }  # fmt: skip
    assert found["unmatched"] == {"Ringa": 1} and "check" in found["unseen"]
    assert found["replay"]["fitness"] == 1 and found["replay"]["went"] == {"open": 2, "find": 2, "answer": 1}
    page = (tmp_path / "out" / "discovery.html").read_text(encoding="utf-8")
    assert 'class="map"' in page and "Hur det stämmer med kartan" in page and "prefers-color-scheme" not in page


def test_a_log_that_is_about_something_else_than_the_map(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(LOG, encoding="utf-8")
    done = discover(str(path), "--map", "after", "--out", str(tmp_path / "out"))
    assert "Too little to say how well it fits" in done.stdout
    assert "No activity of the log is a step of the map" in done.stdout
    assert json.loads((tmp_path / "out" / "discovery.json").read_text(encoding="utf-8"))["map"]["replay"] is None
    missing = discover(str(path), "--map", "none.bpmn")
    assert missing.returncode == 5 and "no such map" in missing.stderr


def test_the_robots_own_log_on_its_map(tmp_path: Path) -> None:
    init(tmp_path / "robot", language="en")
    store = database(tmp_path / "robot")
    with store.begin() as tx:
        for number in (1, 2):
            audit.append(tx, "received", actor="vardag 0.1.0", item=number)
            audit.append(tx, "reserved", actor="vardag 0.1.0", item=number)
            path = ["received", "read", "look_up", "decide", "allow", "confirm"]
            audit.append(
                tx, "settled", actor="vardag 0.1.0", item=number, state="waiting", step="confirm", path=path
            )
    store.close()
    done = discover(str(tmp_path / "robot"), "--map", "after", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["map"]
    assert found["replay"]["fitness"] == 1 and found["replay"]["standing"] == {"confirm": 2}
    assert found["matched"] is None
