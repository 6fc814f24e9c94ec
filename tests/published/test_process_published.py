"""Logs and footprints from the literature, worked again by this code.

W.M.P. van der Aalst, Process Mining: Discovery, Conformance and Enhancement of Business Processes, Springer 2011,
section 5.2: the logs L1 and L2, definition 5.3 with the relations of L1, and the footprints (tables 5.1 and 5.2).
The second edition (2016) has them in chapter 6.
"""

from process_logs import log_of
from vardag.invoices.process.discovery import follows, footprint, rework_cases, variants

L1 = [("abcd", 3), ("acbd", 2), ("aed", 1)]
L2 = [("abcd", 3), ("acbd", 4), ("abcefbcd", 2), ("abcefcbd", 1), ("acbefbcd", 2), ("acbefbcefcbd", 1)]
FOOTPRINT_L1 = """
    a b c d e
  a # → → # →
  b ← # ‖ → #
  c ← ‖ # → #
  d # ← ← # ←
  e ← # # → #
"""
FOOTPRINT_L2 = """
    a b c d e f
  a # → → # # #
  b ← # ‖ → → ←
  c ← ‖ # → → ←
  d # ← ← # # #
  e # ← ← # # →
  f # → → # ← #
"""


def table(text: str) -> dict[tuple[str, str], str]:
    heads, *rows = (line.split() for line in text.strip().splitlines())
    return {(row[0], head): sign for row in rows for head, sign in zip(heads, row[1:], strict=True)}


def test_the_footprint_of_l1_is_table_5_1() -> None:
    assert footprint(log_of(L1).events) == table(FOOTPRINT_L1)


def test_the_footprint_of_l2_is_table_5_2() -> None:
    assert footprint(log_of(L2).events) == table(FOOTPRINT_L2)


def test_the_directly_follows_relation_of_l1() -> None:
    """>_L1 as the section lists it after definition 5.3; the counts are those of the traces written out."""
    found = {(row["activity"], row["next"]): row["count"] for row in follows(log_of(L1).events).to_dicts()}
    pairs = {"ab": 3, "ac": 2, "ae": 1, "bc": 3, "cb": 2, "bd": 2, "cd": 3, "ed": 1}
    assert found == {(pair[0], pair[1]): count for pair, count in pairs.items()}


def test_the_variants_are_the_log_as_it_is_written() -> None:
    for written in (L1, L2):
        found = variants(log_of(written).events).to_dicts()
        assert {("".join(row["variant"]), row["cases"]) for row in found} == set(written)


def test_l2_has_rework_in_the_six_cases_that_go_round() -> None:
    assert rework_cases(log_of(L1).events) == 0
    assert rework_cases(log_of(L2).events) == 6
