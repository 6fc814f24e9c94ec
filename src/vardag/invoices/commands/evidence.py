"""Gathers what a verdict on readiness rests on: the robot's audit log, an event log, and the city's own numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vardag.core.parameters import Parameter, Parameters
from vardag.invoices.audit import Entry
from vardag.invoices.commands.discover import Discovered
from vardag.invoices.hours import Evidence
from vardag.invoices.hours.timings import KINDS
from vardag.invoices.model import Action
from vardag.invoices.process import evidence, load_parameters
from vardag.invoices.process.economy import Costs
from vardag.invoices.process.evidence import Clocked, Decided, Drift, Minutes, Share, Spent, Volume
from vardag.invoices.process.policy import is_assumed

COSTS = ("hourly_cost", "build_hours", "build_other", "run_hours_per_month", "run_other_per_year")
OUTCOMES = {"cancel": "cancelled_alone", "reject": "rejected_alone", "refer": "by_hand"}
CANCELLATION = "cancellation"
IGNORED = "ignored"  # an automatic reply that asks for nothing is no request

Missing = dict[str, Mapping[str, object]]


@dataclass(frozen=True)
class Worked:
    """What the robot's audit log tells: what the rules would settle, what failed, and when requests came."""

    decided: Decided
    faults: Share
    came: Sequence[datetime]
    codes: Mapping[str, int]
    rules: str
    older: int


@dataclass(frozen=True)
class Seen:
    """What an event log tells of how people do it; None is not known, and `missing` says why."""

    volume: Volume | None
    usual: Share | None
    drift: Drift | None
    clocked: Clocked | None
    missing: Missing


def work_of(entries: Iterable[Entry], routine: str = CANCELLATION) -> Worked:
    """Count the decisions that the rules came to by themselves in a routine, whatever the mode.

    The latest of each request counts, made before anybody confirmed, and only those of the rules' newest version:
    what earlier rules decided tells nothing of these. Automatic replies that ask for nothing are no requests.
    """
    came: dict[int, datetime] = {}
    latest: dict[int, Entry] = {}
    dead: set[int] = set()
    ignored: set[int] = set()
    others: set[int] = set()
    for entry in entries:
        if entry.item is None or entry.item in others:
            continue
        if entry.event == "received" and entry.body.get("routine", CANCELLATION) != routine:
            others.add(entry.item)
        elif entry.event == "received":
            came[entry.item] = datetime.fromisoformat(entry.at)
        elif entry.event == "decided" and not entry.body.get("approved_by"):
            latest[entry.item] = entry
        elif entry.event == "settled" and entry.body.get("code") == IGNORED:
            ignored.add(entry.item)
        elif entry.event == "fault" and entry.body.get("state") == "dead":
            dead.add(entry.item)
    decisions = [entry for item, entry in latest.items() if item not in ignored]
    rules = max(decisions, key=lambda entry: entry.seq).body["rules"] if decisions else ""
    newest = [entry for entry in decisions if entry.body["rules"] == rules]
    actions, codes = (Counter(entry.body[name] for entry in newest) for name in ("action", "code"))
    return Worked(
        decided=Decided(actions[Action.CANCEL], actions[Action.REJECT], actions[Action.REFER]),
        faults=Share(len(dead), len({entry.item for entry in decisions} | dead)),
        came=tuple(moment for item, moment in came.items() if item not in ignored),
        codes=dict(sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))),
        rules=rules,
        older=len(decisions) - len(newest),
    )


def see(found: Discovered, parameters: Parameters) -> Seen:
    """What the event log tells, and why it does not tell the rest."""
    events, variants = found.log.events, found.found.variants
    ways, draws, seed = (int(parameters.value(name)) for name in ("usual_ways", "draws", "seed"))
    few = int(load_parameters().value("few_cases"))
    volume, missing = counted(evidence.case_starts(events), parameters)
    doubtful, most = evidence.doubtful(found.log), float(parameters.value("most_doubtful_rows"))
    if doubtful > most:
        missing["doubtful"] = {"share": doubtful, "most": most}
    if not evidence.has_ways(events):
        missing["one_step"] = {}
    enough = found.found.cases >= few
    return Seen(
        volume=volume,
        usual=evidence.usual_ways(events, variants, ways=ways) if enough else None,
        drift=evidence.drift(events, variants, ways=ways, draws=draws, seed=seed) if enough else None,
        clocked=evidence.clocked(events, few=few, confidence=float(parameters.value("confidence"))),
        missing=missing,
    )


def counted(starts: Sequence[datetime], parameters: Parameters) -> tuple[Volume | None, Missing]:
    """The volume, where there are cases and days enough for it; else why not."""
    few, few_days = int(load_parameters().value("few_cases")), int(parameters.value("few_days"))
    if len(starts) == 1:
        return None, {"single_case": {}}
    if len(starts) < few:
        return None, {"few_cases": {"cases": len(starts), "few": few}}
    days = (max(starts).date() - min(starts).date()).days + 1
    if days < few_days:
        return None, {"short": {"days": days, "few": few_days}}
    return evidence.volume(starts), {}


def enough_decisions(worked: Worked, parameters: Parameters) -> Missing:
    """Why the decisions are too few; empty where they are enough."""
    few, decisions = int(parameters.value("few_decisions")), worked.decided.clear.whole
    if not decisions:
        return {"no_decisions": {}}
    return {"few_decisions": {"decisions": decisions, "few": few}} if decisions < few else {}


def minutes_of(given: Parameters, decided: Decided | None, seen: Seen | None, parameters: Parameters) -> Minutes:
    """Minutes by outcome: the city's measured ones, else those of the log's clocks, else assumptions.

    The clocks know a case, not its outcome: they say how long an average one takes, and what the outcomes take is
    made longer or shorter to fit.
    """
    spent = {
        name: Spent(float(given.value(f"{of}_baseline")), float(given.value(f"{of}_residual")))
        for name, of in OUTCOMES.items()
    }
    failed = float(given.value("failure_minutes"))  # found out, and then done by hand all the same
    spent["dead"] = Spent(spent["cancel"].baseline, spent["cancel"].baseline + failed)
    measured = not any(is_assumed(given[f"{of}_baseline"]) for of in OUTCOMES.values())
    off = float(parameters.value("measured_spread" if measured else "assumed_spread"))
    minutes = Minutes(**spent, origin="measured" if measured else "assumed", times=1, low=1 - off, high=1 + off)
    if measured or decided is None or seen is None or seen.clocked is None:
        return minutes
    mean, clock = minutes.baseline(decided).value, seen.clocked.median
    times, low, high = (minutes_ / mean for minutes_ in (clock.value, clock.low, clock.high))
    return Minutes(**spent, origin="clock", times=times, low=low, high=high)


def with_stopwatch(known: Evidence) -> Parameters:
    """The city's minutes, with the stopwatch's mean where it was used often enough."""
    entries = dict(known.parameters.entries)
    for kind, outcomes in KINDS.items():
        seen = [timing for timing in known.timings if timing.kind == kind]
        if not seen or len(seen) < known.number("few_observations"):
            continue
        mean = sum(timing.minutes for timing in seen) / len(seen)
        told = f"measured: {len(seen)} observations of the stopwatch"
        measured = Parameter(mean, "min", max(timing.date for timing in seen), told)
        entries |= {f"{outcome}_baseline": measured for outcome in outcomes}
    return Parameters(known.parameters.path, entries)


def costs_of(parameters: Parameters) -> Costs:
    """What building and running costs, and which of it is assumed."""
    values = {name: float(parameters.value(name)) for name in COSTS}
    return Costs(**values, assumed=frozenset(name for name in COSTS if is_assumed(parameters[name])))
