"""`vardag invoices ladder`, `step` and `object` as a person calls them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ladders import decided, demands, items, said, signed
from vardag.core.errors import NotFoundError, RefusedError
from vardag.invoices.commands.init import init
from vardag.invoices.ladder import Level
from vardag.invoices.store import Store

VARDAG = Path(sys.executable).with_name("vardag")


def vardag(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program, on a wide terminal."""
    env = {**os.environ, "VARDAG_LANGUAGE": "en", "COLUMNS": "200", **environment}
    return subprocess.run([VARDAG, *arguments], capture_output=True, text=True, check=False, env=env)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    init(tmp_path / "robot", language="en")
    return tmp_path / "robot"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    made = Store(folder / "robot.sqlite")
    yield made
    made.close()


def test_a_new_robot_stands_in_shadow_with_every_rule(folder: Path) -> None:
    shown = json.loads(vardag("invoices", "ladder", str(folder), "--json").stdout)
    assert shown["mode"] == "shadow"
    assert {one["rule"]: (one["level"], one["above"], one["missing"]) for one in shown["rules"]}["posted"] == (
        "shadow",
        "attended",
        0,
    )
    assert {one["level"] for one in shown["rules"]} == {"shadow"}
    assert shown["demands"]["unattended_volume"] == 100


def test_steps_are_signed_and_shown_with_who_and_why(folder: Path) -> None:
    signs = ("--by", "anna", "--reason", "four weeks in shadow")
    done = vardag("invoices", "step", str(folder), "posted", "attended", *signs)
    assert done.stdout == "posted: attended, signed by anna.\n"
    done = vardag("invoices", "step", str(folder), "all", "attended", *signs)
    assert done.returncode == 0
    assert "Not stepped. posted stands attended already" in done.stdout
    shown = vardag("invoices", "ladder", str(folder)).stdout
    assert ", signed by anna: four weeks in shadow" in shown
    assert "unattended: 100 more that all agree" in shown
    assert "Robotens läge är skuggdrift" in vardag("invoices", "ladder", str(folder), VARDAG_LANGUAGE="sv").stdout


def test_an_unearned_step_is_refused_with_what_is_missing(folder: Path, store: Store) -> None:
    signed(store, Level.ATTENDED)
    for number in items(store, 100):
        decided(store, number, "posted", "cancel", Level.ATTENDED)
        said(store, number, "confirmed" if number > 1 else "refused", demands(), now=datetime.now(UTC))
    step = ("invoices", "step", str(folder), "posted", "unattended", "--by", "anna", "--reason", "now")
    done = vardag(*step)
    assert done.returncode == RefusedError.exit_code
    assert "people came to 99 of 100 of its decisions in attended (lower bound 0.946)" in " ".join(
        done.stderr.split()
    )
    assert "judge at least 10 more" in " ".join(done.stderr.split())
    assert "99.0 % (94.6–100.0)" in vardag("invoices", "ladder", str(folder)).stdout
    own = 'unattended_agreement: {value: 0.9, unit: share, date: 2026-11-26, source: "the board, 15 §"}\n'
    (folder / "ladder.yaml").write_text(own, encoding="utf-8")
    assert vardag(*step).returncode == 0
    (posted,) = [
        one
        for one in json.loads(vardag("invoices", "ladder", str(folder), "--json").stdout)["rules"]
        if one["rule"] == "posted"
    ]
    assert posted["last"]["evidence"]["agreement_demanded"] == 0.9
    assert "the board, 15 §" in posted["last"]["evidence"]["source"]


def test_an_unknown_rule_is_named_with_the_known(folder: Path) -> None:
    done = vardag("invoices", "step", str(folder), "paid", "attended", "--by", "anna", "--reason", "x")
    assert done.returncode == NotFoundError.exit_code
    assert "no rule 'paid' on the ladder" in done.stderr


def test_a_rule_that_went_back_by_itself_is_seen(folder: Path, store: Store) -> None:
    signed(store, Level.UNATTENDED)
    asked = demands(most_disagreements=0)
    (number,) = items(store, 1)
    decided(store, number, "posted", "cancel", Level.UNATTENDED)
    said(store, number, "refused", asked, now=datetime.now(UTC))
    for words in ("status", "ladder"):
        shown = vardag("invoices", words, str(folder)).stdout
        assert "posted went back to attended by itself on" in shown, words
        assert "something else in 1 of the latest 1 judged decisions" in shown, words


def test_an_objection_needs_a_settled_item(folder: Path, store: Store) -> None:
    (number,) = items(store, 1)
    decided(store, number, "posted", "cancel", Level.UNATTENDED)
    done = vardag("invoices", "object", "1", str(folder), "--by", "bo", "--reason", "wrong")
    assert done.returncode == RefusedError.exit_code
    assert "nothing is settled yet" in done.stderr
