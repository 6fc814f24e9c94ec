"""The account: hours saved by outcome and month, with intervals, and with what counts against them.

A month's hours are its items times the minutes saved for each, less the minutes that failures, objections and looks
cost. The whole is summed from the same items with the same minutes, so months add up to it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from vardag.core.config import DEFAULT_SEED
from vardag.invoices.audit import Entry
from vardag.invoices.hours.estimates import Drawn, Draws, Estimate, Interval, Source, around, assumed, mean
from vardag.invoices.hours.evidence import Evidence
from vardag.invoices.hours.history import OPEN, OUTCOMES, WITH_PERSON, Handled, histories
from vardag.invoices.hours.sittings import Sitting, sittings
from vardag.invoices.hours.timings import KINDS
from vardag.invoices.hours.worth import Worth, worth

NOTHING = Drawn(Estimate(0.0, Source.STATED))
KIND_OF = {outcome: kind for kind, outcomes in KINDS.items() for outcome in outcomes}


@dataclass(frozen=True)
class Line:
    """One outcome: how many items, minutes of one by hand and with the robot, and the hours between."""

    outcome: str
    items: int
    baseline: Estimate
    residual: Estimate
    interval: Interval | None = None

    @property
    def saved_hours(self) -> float:
        """Hours saved; negative where the robot cost time."""
        return self.items * (self.baseline.value - self.residual.value) / 60

    @property
    def source(self) -> Source:
        """The weaker of what the two minutes rest on."""
        sources = {self.baseline.source, self.residual.source}
        return next(one for one in (Source.ASSUMED, Source.STATED, Source.MEASURED) if one in sources)


@dataclass(frozen=True)
class Against:
    """What counts against: technical faults that a person saw to, objections, looks that decided nothing."""

    what: str
    count: int
    minutes: float
    source: Source

    @property
    def hours(self) -> float:
        """Hours that it cost."""
        return self.minutes / 60


@dataclass(frozen=True)
class Span:
    """A month (``2026-11``), or the whole (``month`` empty).

    Attributes
    ----------
    assumed_saved, assumed_cost
        Hours saved, and hours counted against, that rest on assumptions.
    interval
        Of the hours without those; None where nothing of them was measured.
    """

    month: str
    lines: tuple[Line, ...]
    against: tuple[Against, ...]
    saved_hours: float
    assumed_saved: float
    assumed_cost: float
    interval: Interval | None
    worth: Worth

    @property
    def items(self) -> int:
        """Items that were settled, those that wait and the dead letters too."""
        return sum(line.items for line in self.lines)

    @property
    def known_hours(self) -> float:
        """The part of the hours that rests on no assumption."""
        return self.saved_hours - self.assumed_saved + self.assumed_cost

    @property
    def cost_hours(self) -> float:
        """Hours counted against."""
        return sum(one.hours for one in self.against)


@dataclass(frozen=True)
class Account:
    """Hours saved and their worth, in all and month by month; and how people's minutes could be known.

    Attributes
    ----------
    first, last
        Days on which items were settled, the first and the last.
    decided, unknown
        Items that people decided, and how many of them took minutes that are not known.
    shadow
        Items that were settled in shadow alone; nothing of them is counted.
    late
        Observations of the stopwatch from the robot's first day or after.
    routines
        Names of the routines that the items went through.
    """

    first: date | None
    last: date | None
    total: Span
    months: tuple[Span, ...]
    decided: int
    unknown: int
    open_looks: int
    shadow: int
    late: int
    routines: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """All outcomes, of the whole."""
        return self.total.lines

    @property
    def saved_hours(self) -> float:
        """Hours saved in all."""
        return self.total.saved_hours

    @property
    def items(self) -> int:
        """Items in all."""
        return self.total.items

    @property
    def measured(self) -> bool:
        """Whether no hour rests on an assumption."""
        counted = (one for one in self.total.against if one.count)
        return not self.assumed_outcomes and all(one.source is not Source.ASSUMED for one in counted)

    @property
    def assumed_outcomes(self) -> tuple[str, ...]:
        """Outcomes whose hours rest on assumptions."""
        return tuple(line.outcome for line in self.lines if line.items and line.source is Source.ASSUMED)


@dataclass(frozen=True)
class _Minutes:
    """Minutes by outcome, before and now; of those who looked, by item; and all that were sat, by outcome."""

    baseline: Mapping[str, Drawn]
    residual: Mapping[str, Drawn]
    looks: Mapping[int, float]
    sat: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True)
class _Ground:
    """What every month is reckoned from."""

    minutes: _Minutes
    evidence: Evidence
    amounts: Mapping[int, Decimal]


def account(
    entries: Iterable[Entry],
    evidence: Evidence,
    *,
    amounts: Mapping[int, Decimal] | None = None,
    routines: Mapping[int, str] | None = None,
    seed: int = DEFAULT_SEED,
) -> Account:
    """Make the account from the audit log, in any order.

    Parameters
    ----------
    amounts
        Amount of each item whose invoice was voided or credited, from the journal.
    routines
        The routine of each item.
    seed
        Of the bootstrap.
    """
    entries = list(entries)
    handled, shadow = histories(entries)
    sat = sittings(entries, longest=evidence.number("longest_sitting"))
    ground = _Ground(_minutes(handled, sat, evidence, seed), evidence, amounts or {})
    of_month, days = _by_month(handled.values(), ZoneInfo(str(evidence.parameters.value("zone"))))
    working = months([*of_month])
    names = months([*of_month, *(one.month for one in evidence.freed)])
    return Account(
        first=min(days, default=None),
        last=max(days, default=None),
        total=_span("", list(handled.values()), ground, at_work=len(working)),
        months=tuple(_span(one, of_month.get(one, []), ground, at_work=int(one in working)) for one in names),
        decided=sum(len(some) for some in ground.minutes.sat.values()),
        unknown=sum(one is None for some in ground.minutes.sat.values() for one in some),
        open_looks=sum(one.minutes is None and not one.decided for one in sat),
        shadow=shadow,
        late=sum(one.date >= min(days) for one in evidence.timings) if days else 0,
        routines=tuple(sorted({name for item, name in (routines or {}).items() if item in handled})),
    )


def months(names: Sequence[str]) -> list[str]:
    """Every month from the first to the last, those without anything too.

    >>> months(["2026-11", "2027-01"])
    ['2026-11', '2026-12', '2027-01']
    """
    if not names:
        return []
    first, last = (12 * int(one[:4]) + int(one[5:]) - 1 for one in (min(names), max(names)))
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(first, last + 1)]


def _by_month(handled: Iterable[Handled], zone: ZoneInfo) -> tuple[dict[str, list[Handled]], list[date]]:
    """Items by the month in which they were last settled, and the days on which they were."""
    found: dict[str, list[Handled]] = defaultdict(list)
    days = []
    for one in handled:
        local = one.at.astimezone(zone)
        found[f"{local:%Y-%m}"].append(one)
        days.append(local.date())
    return dict(found), days


def _minutes(handled: Mapping[int, Handled], sat: Iterable[Sitting], evidence: Evidence, seed: int) -> _Minutes:
    """Minutes by hand from the stopwatch, with the robot from the log; parameters where those are few."""
    of_outcome, looks = _sat(handled, sat)
    timed: dict[str, list[float]] = defaultdict(list)
    for one in evidence.timings:
        timed[one.kind].append(one.minutes)
    baseline, residual = {}, {}
    for place, outcome in enumerate(name for name in OUTCOMES if name not in OPEN):
        kind = KIND_OF[outcome]
        before = (seed, 0, list(KINDS).index(kind))  # outcomes of one kind share its draws
        baseline[outcome] = _estimate(timed[kind], f"{outcome}_baseline", evidence, before)
        known = [one for one in of_outcome.get(outcome, ()) if one is not None]
        residual[outcome] = _estimate(known, f"{outcome}_residual", evidence, (seed, 1, place))
    return _Minutes(baseline, residual, looks, of_outcome)


def _sat(
    handled: Mapping[int, Handled], sat: Iterable[Sitting]
) -> tuple[dict[str, list[float | None]], dict[int, float]]:
    """Minutes of people for each item that they decided, by outcome, and minutes of those who only looked.

    What was sat through before an item was settled belongs to deciding it, what came after is a look.
    """
    of_item: dict[int, list[Sitting]] = defaultdict(list)
    looks: dict[int, float] = defaultdict(float)
    for one in sat:
        ended = handled.get(one.item)
        if ended is None or ended.outcome in OPEN:
            continue
        if ended.outcome in WITH_PERSON and one.at <= ended.at:
            of_item[one.item].append(one)
        elif one.minutes is not None:
            looks[one.item] += one.minutes
    found: dict[str, list[float | None]] = defaultdict(list)
    for item, some in of_item.items():
        if any(one.decided for one in some):
            known = [one.minutes for one in some if one.minutes is not None]
            found[handled[item].outcome].append(sum(known) if len(known) == len(some) else None)
    return dict(found), dict(looks)


def _estimate(values: Sequence[float], name: str, evidence: Evidence, seed: Sequence[int]) -> Drawn:
    if len(values) < evidence.number("few_observations"):
        return Drawn(assumed(evidence.parameters[name], observations=len(values)))
    draws, confidence = int(evidence.number("replicates")), evidence.number("confidence")
    return mean(values, seed=seed, replicates=draws, confidence=confidence)


def _span(month: str, handled: Sequence[Handled], ground: _Ground, *, at_work: int) -> Span:
    """A month's account, or the whole; `at_work` are the months in it that the robot costs."""
    evidence = ground.evidence
    counts = Counter(one.outcome for one in handled)
    drawn = [_line(outcome, counts[outcome], ground) for outcome in OUTCOMES]
    lines, against = tuple(line for line, _ in drawn), _against(handled, ground)
    hours = sum(line.saved_hours for line in lines) - sum(one.hours for one in against)
    guessed = sum(line.saved_hours for line in lines if line.source is Source.ASSUMED)
    guessed_cost = sum(one.hours for one in against if one.source is Source.ASSUMED)
    return Span(
        month=month,
        lines=lines,
        against=against,
        saved_hours=hours,
        assumed_saved=guessed,
        assumed_cost=guessed_cost,
        interval=_interval(drawn, hours - guessed + guessed_cost, evidence.number("confidence")),
        worth=worth(handled, hours, evidence, month=month, amounts=ground.amounts, at_work=at_work),
    )


def _line(outcome: str, items: int, ground: _Ground) -> tuple[Line, Draws | None]:
    """A line and replicates of its hours; None where nothing of it was measured, or something is an assumption."""
    before = ground.minutes.baseline.get(outcome, NOTHING)
    after = ground.minutes.residual.get(outcome, NOTHING)
    line = Line(outcome, items, before.estimate, after.estimate)
    if line.source is Source.ASSUMED or not items or (before.draws is None and after.draws is None):
        return line, None
    one = before.estimate.value if before.draws is None else before.draws
    other = after.estimate.value if after.draws is None else after.draws
    draws = np.asarray(items * (one - other) / 60)
    interval = around(line.saved_hours, draws, ground.evidence.number("confidence"))
    return replace(line, interval=interval), draws


def _interval(drawn: Iterable[tuple[Line, Draws | None]], hours: float, confidence: float) -> Interval | None:
    """Interval of the hours that rest on no assumption; what is counted against them is a fixed sum."""
    measured = [(line.saved_hours, draws) for line, draws in drawn if draws is not None]
    if not measured:
        return None
    fixed = hours - sum(mean_hours for mean_hours, _ in measured)
    return around(hours, np.sum([draws for _, draws in measured], axis=0) + fixed, confidence)


def _against(handled: Sequence[Handled], ground: _Ground) -> tuple[Against, ...]:
    minutes, evidence = ground.minutes, ground.evidence
    looked = [minutes.looks[one.item] for one in handled if one.item in minutes.looks]
    counted = []
    for what, count in (
        ("failures", sum(one.failures for one in handled)),
        ("objections", sum(one.objected for one in handled)),
    ):
        each = assumed(evidence.parameters[f"{what[:-1]}_minutes"])
        counted.append(Against(what, count, count * each.value, each.source))
    return (*counted, Against("looks", len(looked), sum(looked), Source.MEASURED))
