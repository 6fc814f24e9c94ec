"""The register of obstacles: read strictly, and what blocks is named with its owner and remedy."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from vardag.core.errors import ConfigError, RefusedError
from vardag.demo.robot import REGISTER
from vardag.invoices.commands.obstacles import example
from vardag.invoices.process.obstacles import (
    Kind,
    Obstacle,
    in_order,
    let_work_alone,
    not_looked_at,
    packaged,
    read_obstacles,
)

TODAY = date(2026, 12, 1)
PLAIN = {
    "id": "a",
    "kind": "legal",
    "what": "No delegation.",
    "owner": "Lawyer",
    "remedy": "A decision.",
    "status": "open",
    "date": date(2026, 11, 26),
    "blocking": False,
}


def register(folder: Path, *entries: Any, text: str | None = None) -> Path:
    path = folder / "obstacles.yaml"
    path.write_text(text if text is not None else yaml.safe_dump(list(entries), allow_unicode=True), "utf-8")
    return path


def read(folder: Path, *entries: Any, text: str | None = None) -> tuple[Obstacle, ...]:
    found = read_obstacles(register(folder, *entries, text=text), today=TODAY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "political"}, r"entry 1 \(a\): kind is 'political', expected one of legal, economic"),
        ({"status": "closed"}, r"status is 'closed', expected one of open, removed"),
        ({"ovner": "x"}, r"unknown ovner\. Known: id, kind"),
        ({"owner": None}, r"entry 1 \(a\): lacks owner"),
        ({"owner": "  "}, r"owner is '  ', expected a text"),
        ({"what": {"sv": "Hinder"}}, r"what is {'sv': 'Hinder'}, expected a text, or"),
        ({"status": "removed"}, r"removed without evidence"),
        ({"blocking": True}, r"blocking without blocking_by"),
        ({"blocking": "maybe"}, r"blocking is 'maybe', expected true or false"),
        ({"date": "yesterday"}, r"date is 'yesterday', expected a day"),
        ({"date": date(2026, 12, 2)}, r"a is dated after today, 2026-12-01"),
        ({"id": 7}, r"id is 7, expected a text"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(tmp_path, PLAIN | change)


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"id a stands more than once"):
        read(tmp_path, PLAIN, PLAIN)


def test_a_word_that_stands_twice_in_an_entry_is_refused(tmp_path: Path) -> None:
    """YAML would take the last: an obstacle that was removed by a slip of the pen."""
    text = register(tmp_path, PLAIN).read_text() + "  status: removed\n  evidence: none\n"
    with pytest.raises(ConfigError, match=r"status stands twice"):
        read(tmp_path, text=text)


@pytest.mark.parametrize("text", ["a: b\n", "- just words\n", "- [\n", "\xff"])
def test_what_is_no_register_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "obstacles.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"obstacles\.yaml"):
        read_obstacles(path, today=TODAY)


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("path", [packaged(), REGISTER])
def test_the_packaged_registers_are_read_in_both_languages(tmp_path: Path, path: Path, language: str) -> None:
    own = register(tmp_path, text=example(language, today=TODAY, path=path))
    found = read_obstacles(own, today=TODAY)
    assert found
    assert not_looked_at(found) == []
    texts = {one.id: one.what for one in read_obstacles(path, today=TODAY, language=language) or ()}
    assert {one.id: one.what for one in found} == texts
    assert {one.date for one in found} == {TODAY}


def test_the_packaged_example_blocks_and_says_so_itself() -> None:
    found = read_obstacles(packaged(), today=TODAY, language="en")
    assert found and all(one.open for one in found)
    assert {one.kind for one in found if one.stops} == set(Kind)
    assert {one.blocking_by for one in found if one.stops} == {
        "Proposed by the example; the routine's owner decides"
    }


def test_what_stops_the_robot_stands_first(tmp_path: Path) -> None:
    removed = PLAIN | {
        "id": "r",
        "status": "removed",
        "evidence": "minutes 14 §",
        "blocking": True,
        "blocking_by": "Eva",
    }
    stops = PLAIN | {"id": "s", "blocking": True, "blocking_by": "Eva"}
    found = read(tmp_path, removed, PLAIN, stops)
    assert [one.id for one in in_order(found)] == ["s", "a", "r"]
    assert not_looked_at(found) == [Kind.ECONOMIC, Kind.ORGANISATIONAL, Kind.SYSTEM]


def test_each_that_blocks_is_named_with_owner_and_remedy(tmp_path: Path) -> None:
    stops = PLAIN | {"id": "s", "blocking": True, "blocking_by": "Eva", "owner": "Bo", "remedy": "A signature."}
    with pytest.raises(RefusedError, match=r"1 open obstacle blocks") as error:
        let_work_alone(read(tmp_path, PLAIN, stops), tmp_path / "obstacles.yaml")
    for word in ("s (legal)", "owner: Bo", "remedy: A signature.", "says: Eva"):
        assert word in str(error.value)
    let_work_alone(read(tmp_path, PLAIN), tmp_path / "obstacles.yaml")
    let_work_alone(read(tmp_path, stops | {"status": "removed", "evidence": "signed 2 §"}), tmp_path)


@pytest.mark.parametrize("text", ["", "[]\n", "# only a comment\n"])
def test_an_empty_register_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(RefusedError, match=r"nobody has looked.*obstacles --example"):
        let_work_alone(read(tmp_path, text=text), tmp_path / "obstacles.yaml")
    with pytest.raises(RefusedError, match=r"no register of obstacles"):
        let_work_alone(read_obstacles(tmp_path / "none.yaml", today=TODAY), tmp_path / "none.yaml")
