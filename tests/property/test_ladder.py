"""Whatever people say and sign, in whatever order: no rule works alone without an earned signature."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from ladders import NOW, decided, demands, items, objection, said
from vardag.core.errors import RefusedError
from vardag.invoices import audit, ladder
from vardag.invoices.ladder import Demands, Level
from vardag.invoices.store import Store

RULES = ("posted", "draft")
SAY = st.tuples(st.just("say"), st.sampled_from(RULES), st.sampled_from(["confirmed", "done", "refused"]))
OBJECT = st.tuples(st.just("object"), st.sampled_from(RULES), st.just(""))
STEP = st.tuples(st.just("step"), st.sampled_from(RULES), st.sampled_from([level.value for level in Level]))
ASKED = st.builds(
    demands,
    unattended_volume=st.integers(0, 4),
    unattended_agreement=st.sampled_from([0.0, 0.3, 0.6]),
    window=st.integers(1, 6),
    most_disagreements=st.integers(0, 2),
)


@dataclass
class Told:
    """The ladder told plainly: one rule's level, and what was said since it came there."""

    asked: Demands
    level: Level = Level.SHADOW
    since: list[bool] = field(default_factory=list)

    def lower(self, agrees: list[bool]) -> float:
        return binomtest(sum(agrees), len(agrees)).proportion_ci(0.95).low if agrees else 0.0

    def upper(self, agrees: list[bool]) -> float:
        return binomtest(sum(agrees), len(agrees)).proportion_ci(0.95).high if agrees else 1.0

    def say(self, agrees: bool) -> None:
        self.since.append(agrees)
        window = self.since[-self.asked.window :]
        wrong = window.count(False)
        low = self.upper(window) < self.asked.unattended_agreement
        if self.level is Level.UNATTENDED and (wrong > self.asked.most_disagreements or low):
            self.level, self.since = Level.ATTENDED, []

    def may(self, to: Level) -> bool:
        if to.height <= self.level.height:
            return to is not self.level
        demand = self.asked.of(to)
        enough = len(self.since) >= demand.volume and self.lower(self.since) >= demand.agreement
        return to.height == self.level.height + 1 and enough

    def step(self, to: Level) -> None:
        self.level, self.since = to, []


@contextmanager
def made() -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "robot.sqlite")
        yield store
        store.close()


def step(store: Store, rule: str, to: Level, asked: Demands, now: datetime) -> bool:
    try:
        with store.begin() as tx:
            ladder.step(tx, rule=rule, to=to, by="anna", reason="så", demands=asked, now=now)
    except RefusedError:
        return False
    return True


@settings(max_examples=50, deadline=None)
@given(ASKED, st.lists(SAY | SAY | OBJECT | STEP | STEP, max_size=24))
def test_the_ladder_is_what_a_plain_telling_of_it_is(asked: Demands, acts: list[tuple[str, str, str]]) -> None:
    told = {rule: Told(asked) for rule in RULES}
    with made() as store:
        for place, number in enumerate(items(store, len(acts))):
            act, rule, word = acts[place]
            one, now = told[rule], NOW + timedelta(minutes=place + 1)
            if act == "step":
                may = one.may(Level(word))
                assert step(store, rule, Level(word), asked, now) is may
                if may:
                    one.step(Level(word))
            else:
                decided(store, number, rule, "cancel", one.level)
                if act == "object":
                    objection(store, number, asked, now=now)
                else:
                    said(store, number, word, asked, now=now)
                one.say(act == "say" and word != "refused")
            with store.read() as tx:
                stands = {stand.rule: stand for stand in ladder.state(tx, RULES, demands=asked)}
            assert {rule: stand.level for rule, stand in stands.items()} == {r: t.level for r, t in told.items()}
            counts = {rule: (stand.found.agreed, stand.found.volume) for rule, stand in stands.items()}
            assert counts == {rule: (sum(plain.since), len(plain.since)) for rule, plain in told.items()}
        every_step_is_signed_and_earned(store, asked)


def every_step_is_signed_and_earned(store: Store, asked: Demands) -> None:
    with store.read() as tx:
        steps = ladder.steps(tx)
        logged = [entry.body for entry in audit.entries(tx) if entry.event == "ladder"]
        assert audit.verify(tx)[1] == []
    assert [(one.rule, one.level, one.by, one.evidence) for one in steps] == [
        (body["rule"], body["level"], body["actor"], body["evidence"]) for body in logged
    ]
    before = dict.fromkeys(RULES, Level.SHADOW)
    for one in steps:
        assert one.evidence["from"] == before[one.rule]
        if one.level.height > before[one.rule].height:
            assert (one.by, one.level.height) == ("anna", before[one.rule].height + 1)
        if one.level is Level.UNATTENDED:
            assert one.evidence["volume"] >= asked.unattended_volume
            assert one.evidence["lower"] >= asked.unattended_agreement - 1e-4
        if one.by == audit.PROGRAM:
            assert (before[one.rule], one.level) == (Level.UNATTENDED, Level.ATTENDED)
        before[one.rule] = one.level
