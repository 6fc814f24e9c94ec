"""The ladder on SQLite and on PostgreSQL: what is counted, what a step demands, and how a rule falls back."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from scipy.stats import binom, binomtest

from ladders import NOW, decided, demands, items, objection, said, signed
from servers.postgis import PostGIS
from vardag.core.errors import ConfigError, InputError, RefusedError
from vardag.invoices import audit, ladder
from vardag.invoices.ladder import Agreement, Demand, Level, agreement, load_demands, sampled, still_needed
from vardag.invoices.ladder.demands import PARAMETERS
from vardag.invoices.store import Store

RULE = "posted"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    server: PostGIS | None = request.getfixturevalue("postgis") if request.param == "postgresql" else None
    made = Store(server.fresh() if server else tmp_path / "robot.sqlite")
    yield made
    made.close()


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_interval_is_scipys_own(confidence: float) -> None:
    for volume in (1, 2, 7, 100, 2000):
        for agreed in {0, 1, volume // 2, volume - 1, volume}:
            found = agreement(agreed, volume, confidence=confidence)
            exact = binomtest(agreed, volume).proportion_ci(confidence, method="exact")
            assert (found.lower, found.upper) == pytest.approx((exact.low, exact.high), abs=1e-12)
    assert agreement(0, 0, confidence=confidence) == Agreement(0, 0, 0.0, 1.0)


@pytest.mark.parametrize(("agreed", "volume"), [(0, 0), (100, 100), (99, 100), (3, 9), (400, 420)])
def test_what_is_still_needed_is_enough_and_no_less(agreed: int, volume: int) -> None:
    demand = Demand(100, 0.95, "")
    found = agreement(agreed, volume, confidence=0.95)
    more = still_needed(found, demand, confidence=0.95)

    def with_more(count: int) -> bool:
        return agreement(agreed + count, volume + count, confidence=0.95).meets(demand)

    assert with_more(more)
    assert more == 0 or not with_more(more - 1)


def test_the_control_sample_is_a_share_and_always_the_same() -> None:
    keys = [f"<{number}@kommun.example>\n{number}" for number in range(4000)]
    drawn = [sampled(key, 0.05, salt="a") for key in keys]
    assert 150 < sum(drawn) < 250
    assert drawn == [sampled(key, 0.05, salt="a") for key in keys]
    assert drawn != [sampled(key, 0.05, salt="b") for key in keys]
    assert not any(sampled(key, 0, salt="a") for key in keys)
    assert all(sampled(key, 1, salt="a") for key in keys)


def test_the_sample_is_drawn_by_a_secret_that_stays(store: Store) -> None:
    asked = demands(control_share=0.5)
    signed(store, Level.UNATTENDED)
    seen = []
    for _ in range(2):
        with store.begin() as tx:
            seen.append([_standing(tx, f"k{place}", Level.UNATTENDED, asked) for place in range(40)])
    assert seen[0] == seen[1]
    assert 0 < sum(one.sampled for one in seen[0]) < 40
    assert all(one.alone is not one.sampled and one.writes for one in seen[0])


@pytest.mark.parametrize("ceiling", Level)
@pytest.mark.parametrize("stands", Level)
def test_a_decision_goes_as_far_as_both_ceiling_and_rule(store: Store, ceiling: Level, stands: Level) -> None:
    signed(store, stands)
    with store.begin() as tx:
        found = _standing(tx, "k", ceiling, demands())
        assert found.level.height == min(ceiling.height, stands.height)
        other = ladder.standing(
            tx, routine="cancellation", rule="draft", key="k", ceiling=ceiling, demands=demands()
        )
        assert other.level is Level.SHADOW
        referred = ladder.standing(
            tx, routine="cancellation", rule=None, key="k", ceiling=ceiling, demands=demands()
        )
        assert (referred.level, referred.sampled) == (ceiling, False)


def _standing(tx: ladder.rungs.Transaction, key: str, ceiling: Level, asked: ladder.Demands) -> ladder.Standing:
    return ladder.standing(tx, routine="cancellation", rule=RULE, key=key, ceiling=ceiling, demands=asked)


def test_a_step_is_signed_and_in_the_audit_log_with_its_evidence(store: Store) -> None:
    for number in items(store, 3):
        decided(store, number, RULE, "cancel", Level.SHADOW)
        said(store, number, "confirmed" if number > 1 else "refused", demands())
    with store.begin() as tx:
        ladder.step(
            tx, rule=RULE, to=Level.ATTENDED, by=" anna ", reason="fyra veckor", demands=demands(),
            now=NOW + timedelta(days=1),
        )  # fmt: skip
        found = ladder.last(tx, "cancellation", RULE)
        (entry,) = [one for one in audit.entries(tx) if one.event == "ladder"]
    assert found is not None
    assert (found.level, found.by, found.reason, found.fell) == (Level.ATTENDED, "anna", "fyra veckor", False)
    assert (found.evidence["agreed"], found.evidence["volume"], found.evidence["versions"]) == (2, 3, {"v1": 3})
    assert (entry.body["actor"], entry.body["rule"], entry.body["level"]) == ("anna", RULE, "attended")
    assert entry.body["evidence"] == dict(found.evidence)


@pytest.mark.parametrize(
    ("stands", "to", "says"),
    [
        (Level.SHADOW, Level.SHADOW, "posted stands shadow already, where every rule begins"),
        (Level.SHADOW, Level.UNATTENDED, "no step passes over attended. Step it to attended first"),
        (
            Level.ATTENDED,
            Level.UNATTENDED,
            r"people came to 0 of 0 of its decisions in attended \(lower bound 0\.000\); unattended demands 100 or "
            r"more and a lower bound of 0\.95 \(95% Clopper-Pearson\)\. Let people judge at least 100 more",
        ),
    ],
)
def test_a_step_that_may_not_be_is_refused_and_leaves_nothing(
    store: Store, stands: Level, to: Level, says: str
) -> None:
    signed(store, stands)
    with store.begin() as tx:
        before = (ladder.steps(tx), audit.head(tx))
        with pytest.raises(RefusedError, match=says):
            ladder.step(tx, rule=RULE, to=to, by="anna", reason="nu", demands=load_demands(), now=NOW)
        assert (ladder.steps(tx), audit.head(tx)) == before


@pytest.mark.parametrize(("by", "reason"), [("", "nu"), ("anna", " ")])
def test_nobody_steps_without_a_name_and_a_reason(store: Store, by: str, reason: str) -> None:
    with store.begin() as tx, pytest.raises(InputError, match="give a name with --by and a reason"):
        ladder.step(tx, rule=RULE, to=Level.ATTENDED, by=by, reason=reason, demands=demands(), now=NOW)


def test_unattended_is_earned_by_what_was_judged_in_attended(store: Store) -> None:
    """Agreement in shadow is not carried along: a person had not seen what the robot would write."""
    asked = demands(unattended_volume=5, unattended_agreement=0.4)
    numbers = items(store, 11)
    for number in numbers[:5]:
        decided(store, number, RULE, "cancel", Level.SHADOW)
        said(store, number, "done", asked)
    signed(store, Level.ATTENDED, now=NOW + timedelta(hours=1))
    with store.begin() as tx, pytest.raises(RefusedError, match="0 of 0"):
        ladder.step(tx, rule=RULE, to=Level.UNATTENDED, by="bo", reason="nu", demands=asked, now=NOW)
    late = NOW + timedelta(hours=2)
    decided(store, numbers[5], RULE, "cancel", Level.SHADOW)  # decided in shadow, judged late
    said(store, numbers[5], "done", asked, now=late)
    for number in numbers[6:]:
        decided(store, number, RULE, "cancel", Level.ATTENDED)
        said(store, number, "confirmed", asked, now=late)
    with store.begin() as tx:
        (stand,) = ladder.state(tx, [RULE], demands=asked)
        assert (stand.found.agreed, stand.found.volume, stand.missing) == (5, 5, 0)
        found = ladder.step(tx, rule=RULE, to=Level.UNATTENDED, by="bo", reason="nu", demands=asked, now=late)
    assert found.evidence["source"]


def test_a_step_down_needs_no_more_than_a_name_and_starts_the_count_anew(store: Store) -> None:
    signed(store, Level.UNATTENDED)
    (number,) = items(store, 1)
    decided(store, number, RULE, "cancel", Level.UNATTENDED)
    said(store, number, "refused", demands())
    with store.begin() as tx:
        ladder.step(
            tx, rule=RULE, to=Level.SHADOW, by="bo", reason="regeln ändras", demands=load_demands(),
            now=NOW + timedelta(hours=1),
        )  # fmt: skip
        (stand,) = ladder.state(tx, [RULE], demands=load_demands())
    assert (stand.level, stand.found.volume, stand.above) == (Level.SHADOW, 0, Level.ATTENDED)


@pytest.mark.parametrize(
    ("action", "outcome", "agrees"),
    [
        ("cancel", "confirmed", True),
        ("cancel", "done", True),
        ("cancel", "refused", False),
        ("reject", "confirmed", True),
        ("reject", "done", False),
        ("reject", "refused", True),
        ("refer", "confirmed", None),
        ("refer", "done", None),
    ],
)
def test_what_agrees_with_what(store: Store, action: str, outcome: str, agrees: bool | None) -> None:
    (number,) = items(store, 1)
    decided(store, number, RULE, action, Level.ATTENDED)
    told = said(store, number, outcome, demands())
    assert told == ({} if agrees is None else {"rule": RULE, "rule_level": "attended", "agrees": agrees})


def test_the_first_word_counts_and_what_a_person_overruled_is_not_the_robots(store: Store) -> None:
    one, other = items(store, 2)
    decided(store, one, RULE, "cancel", Level.ATTENDED)
    assert said(store, one, "confirmed", demands())["agrees"]
    decided(store, one, RULE, "cancel", Level.ATTENDED, approved_by=1)
    assert said(store, one, "refused", demands()) == {}
    decided(store, other, "unproven", "refer", Level.ATTENDED)
    decided(store, other, RULE, "cancel", Level.ATTENDED, approved_by=1)
    assert said(store, other, "done", demands()) == {}
    with store.read() as tx:
        (stand,) = ladder.state(tx, [RULE], demands=demands())
    assert (stand.found.agreed, stand.found.volume) == (1, 1)


def test_an_entry_from_before_the_ladder_is_at_the_robots_mode(store: Store) -> None:
    (number,) = items(store, 1)
    decided(store, number, RULE, "cancel", None)
    with store.read() as tx:
        own = ladder.own_decision(tx, number)
    assert own is not None
    assert own.level is Level.SHADOW


def test_too_many_disagreements_put_a_rule_back_in_the_programs_name(store: Store) -> None:
    asked = demands(most_disagreements=2, unattended_agreement=0.0)
    signed(store, Level.UNATTENDED)
    for place, number in enumerate(items(store, 6)):
        decided(store, number, RULE, "cancel", Level.UNATTENDED)
        said(
            store,
            number,
            "refused" if place % 2 == 0 else "confirmed",
            asked,
            now=NOW + timedelta(minutes=place + 1),
        )
        with store.read() as tx:
            stands = ladder.level(tx, "cancellation", RULE)
        assert stands is (Level.UNATTENDED if place < 4 else Level.ATTENDED), place
    with store.read() as tx:
        (fell,) = ladder.fallen(tx)
        entry = [one for one in audit.entries(tx) if one.event == "ladder"][-1]
    assert (fell.by, fell.level, fell.fell) == (audit.PROGRAM, Level.ATTENDED, True)
    assert (fell.evidence["agreed"], fell.evidence["volume"], fell.evidence["item"]) == (2, 5, 5)
    assert (entry.body["actor"], entry.body["level"]) == (audit.PROGRAM, "attended")
    signed(store, Level.UNATTENDED, now=NOW + timedelta(hours=1))
    with store.read() as tx:
        assert ladder.fallen(tx) == []


def test_an_upper_bound_below_what_is_demanded_puts_a_rule_back(store: Store) -> None:
    asked = demands(most_disagreements=100, unattended_agreement=0.9)
    signed(store, Level.UNATTENDED)
    for place, number in enumerate(items(store, 2)):
        decided(store, number, RULE, "cancel", Level.UNATTENDED)
        said(store, number, "refused", asked, now=NOW + timedelta(minutes=place + 1))
    with store.read() as tx:
        assert ladder.level(tx, "cancellation", RULE) is Level.ATTENDED  # 0 of 2: at most 0.84


def test_only_the_window_is_held_against_a_rule(store: Store) -> None:
    asked = demands(most_disagreements=1, window=3, unattended_agreement=0.0)
    signed(store, Level.UNATTENDED)
    for place, number in enumerate(items(store, 8)):
        decided(store, number, RULE, "cancel", Level.UNATTENDED)
        said(
            store,
            number,
            "refused" if place % 3 == 0 else "confirmed",
            asked,
            now=NOW + timedelta(minutes=place + 1),
        )
    with store.read() as tx:
        assert ladder.level(tx, "cancellation", RULE) is Level.UNATTENDED


def test_an_objection_overrules_an_earlier_word_and_counts_once(store: Store) -> None:
    signed(store, Level.UNATTENDED)
    number, waits, referred = items(store, 3)
    decided(store, number, RULE, "cancel", Level.UNATTENDED)
    said(store, number, "confirmed", demands(), now=NOW + timedelta(minutes=1))
    assert objection(store, number, demands(), now=NOW + timedelta(minutes=2))["agrees"] is False
    with store.read() as tx:
        (stand,) = ladder.state(tx, [RULE], demands=demands())
    assert (stand.found.agreed, stand.found.volume) == (0, 1)
    with pytest.raises(RefusedError, match="bo disagreed already"):
        objection(store, number, demands())
    decided(store, waits, RULE, "cancel", Level.UNATTENDED)
    with pytest.raises(RefusedError, match="nothing is settled yet"):
        objection(store, waits, demands(), settle=False)
    decided(store, referred, "paid", "refer", Level.UNATTENDED)
    with pytest.raises(RefusedError, match="no rule to object to"):
        objection(store, referred, demands())


def test_judgements_at_the_same_time_see_each_other(store: Store) -> None:
    """Two persons disagree in the same moment: together they are one too many, whoever is last."""
    asked = demands(most_disagreements=3, unattended_agreement=0.0)
    signed(store, Level.UNATTENDED)
    numbers = items(store, 8)
    for number in numbers:
        decided(store, number, RULE, "cancel", Level.UNATTENDED)

    def disagree(number: int) -> None:
        said(store, number, "refused", asked, now=datetime.now(UTC) + timedelta(days=1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(disagree, numbers))
    with store.read() as tx:
        assert [one.evidence["agreed"] for one in ladder.fallen(tx)] == [0]
        assert ladder.fallen(tx)[0].evidence["volume"] == 4


def test_a_city_lays_its_own_demands_on_top(tmp_path: Path) -> None:
    own = tmp_path / "ladder.yaml"
    own.write_text('unattended_volume: {value: 250, unit: judged decisions, date: 2026-11-26, source: "15 §"}\n')
    found = load_demands(own)
    assert (found.unattended_volume, found.unattended_agreement) == (250, load_demands().unattended_agreement)
    assert found.of(Level.UNATTENDED).source.startswith("15 §; own choice")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("unattended_volum: {value: 1, REST}", r"unknown unattended_volum\. Known: attended_agreement, "),
        (
            "unattended_volume: {value: -1, REST}",
            r"ladder\.yaml: unattended_volume is -1\. Input should be greater",
        ),
        ("unattended_agreement: {value: 1.0, REST}", r"unattended_agreement is 1\.0\. Input should be less than 1"),
        (
            "unattended_volume: {value: many, REST}",
            r"unattended_volume is 'many'\. Input should be a valid integer",
        ),
        ("window: {value: 10, unit: x, date: soon, source: x}", r"window has date 'soon', expected YYYY-MM-DD"),
        ("window: {value: 10}", r"window has \['value'\], expected \['date', 'source', 'unit', 'value'\]"),
        ("window: 10", r"cannot be read as parameters .*; expected name: \{value: 200"),
        ("- window", r"cannot be read as parameters .*; expected name: \{value: 200"),
    ],
)
def test_demands_that_cannot_be_used_are_named(tmp_path: Path, line: str, says: str) -> None:
    own = tmp_path / "ladder.yaml"
    own.write_text(line.replace("REST", "unit: x, date: 2026-11-26, source: x"))
    with pytest.raises(ConfigError, match=says):
        load_demands(own)


def test_every_packaged_number_is_used() -> None:
    assert set(ladder.demands.load(PARAMETERS).entries) == set(ladder.Demands.model_fields) - {"sources"}


def test_the_explanations_figures_are_what_the_ladder_does() -> None:
    text = (Path(__file__).parents[2] / "docs/explanation/ladder.md").read_text(encoding="utf-8")
    rows = [(float(one), float(other)) for one, other in re.findall(r"^\| ([\d.]+) \| ([\d.]+) \|$", text, re.M)]
    asked, told = load_demands(), {wrong: judged for wrong, judged in rows if wrong == int(wrong)}
    back = {share: chance for share, chance in rows if share not in told}
    assert list(told) == [0, 1, 2, 3, 4, 5]
    for wrong, judged in told.items():
        found = agreement(int(judged - wrong), int(judged), confidence=asked.confidence)
        assert still_needed(found, asked.of("unattended"), confidence=asked.confidence) == 0
        short = agreement(int(judged - wrong) - 1, int(judged) - 1, confidence=asked.confidence)
        assert still_needed(short, asked.of("unattended"), confidence=asked.confidence) == 1
    assert len(back) == 5
    for share, chance in back.items():
        assert binom.sf(asked.most_disagreements, asked.window, 1 - share) == pytest.approx(chance, abs=5e-4)
