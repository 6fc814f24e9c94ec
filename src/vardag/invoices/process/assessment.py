"""What an assessment of readiness found, and the words for it: the same on the page and in the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from vardag.core.parameters import Parameters
from vardag.core.texts import Texts
from vardag.invoices.process.evidence import Estimate
from vardag.invoices.process.flips import Flip
from vardag.invoices.process.obstacles import Obstacle
from vardag.invoices.process.page import number
from vardag.invoices.process.policy import is_assumed
from vardag.invoices.process.readiness import Criterion, Kind, Numbers, State, Verdict

TEXTS = Texts(Path(__file__).with_name("readiness_texts.toml"))
SHARES = {"clear", "clear_at_all", "usual", "drift", "faults", "errors_today"}
MONEY = {"worth", "build_other", "run_other_per_year", "hourly_cost"}
LARGE = 100  # a number from here on is told without decimals
MONEY_STEP = 100  # sums of money are told in whole hundreds from a thousand on
YEAR_DAYS = 365
MOST_CODES = 8


@dataclass(frozen=True)
class Behind:
    """Where the numbers come from, for those who read them.

    Attributes
    ----------
    volume_from
        ``log`` or ``robot``: where the volume was counted.
    ways, rework
        How many different ways the log has, and the share of its cases that do a step again.
    codes
        How often each reason settled a decision, the most usual first.
    rules, older
        The version of the rules that decided; decisions of earlier versions, which are left out.
    log_limits
        What the event log cannot tell.
    """

    volume_from: str = ""
    ways: int = 0
    rework: float | None = None
    codes: Mapping[str, int] = field(default_factory=dict)
    rules: str = ""
    older: int = 0
    log_limits: Sequence[str] = ()
    log_name: str = ""
    log_sha256: str = ""


@dataclass(frozen=True)
class Assessment:
    """The verdict with everything behind it."""

    verdict: Verdict
    numbers: Numbers
    flips: Sequence[Flip]
    obstacles: Sequence[Obstacle] | None
    parameters: Parameters
    behind: Behind


def told(name: str, value: float | None, language: str) -> str:
    """A number as a person reads it: a share as per cent, money in SEK, the rest plain."""
    if value is None:
        return TEXTS("not_known", language)
    if name in SHARES:
        per_cent = round(100 * value, 1)
        return f"{number(per_cent, language, 0 if per_cent == int(per_cent) else 1)} %"
    if name in MONEY:
        rounded = round(value / MONEY_STEP) * MONEY_STEP if abs(value) >= 10 * MONEY_STEP else round(value)
        return f"{number(rounded, language, 0)} SEK"
    return number(value, language, 0 if value == int(value) or abs(value) >= LARGE else 1)


def spread(name: str, estimate: Estimate, language: str) -> str:
    """An interval in words; a number without one is counted."""
    if estimate.low == estimate.high:
        return TEXTS("exact", language)
    low, high = (told(name, value, language) for value in (estimate.low, estimate.high))
    return TEXTS("interval", language, low=low, high=high)


def headline(found: Assessment, language: str) -> tuple[str, str]:
    """The verdict, and the sentence that begins its reasons."""
    kind = found.verdict.kind
    return TEXTS(f"verdict_{kind}", language), TEXTS(f"because_{kind}", language)


def reasons(found: Assessment, language: str) -> list[str]:
    """Why the verdict is what it is, sentence by sentence."""
    kind, fields = found.verdict.kind, _fields(found)
    if kind is Kind.AUTOMATE:
        return []
    if kind is not Kind.UNKNOWN:
        failing = [one for one in found.verdict.named(State.FAILS) if one.otherwise is kind]
        return [TEXTS(f"fails_{one.name}", language, **fields) for one in failing]
    missing = [
        TEXTS(f"missing_{why}", language, **{name: _field(value, language) for name, value in more.items()})
        for why, more in found.numbers.missing.items()
    ]
    unsure = [TEXTS(f"open_{one.name}", language, **fields) for one in found.verdict.named(State.OPEN)]
    failing_too = [TEXTS(f"fails_{one.name}", language, **fields) for one in found.verdict.named(State.FAILS)]
    return missing + failing_too + unsure


def label(criterion: Criterion, found: Assessment, language: str) -> str:
    """What a criterion is about."""
    return TEXTS(f"criterion_{criterion.name}", language, **_fields(found))


def limit(criterion: Criterion, language: str) -> str:
    """A criterion's limit in words."""
    key = "at_least" if criterion.at_least else "at_most"
    return TEXTS(key, language, limit=told(criterion.name, criterion.limit, language))


def flip_at(flip: Flip, language: str) -> str:
    """Where a number changes the verdict: so much or more, so much or less."""
    up = flip.at > (flip.now or 0.0)
    return TEXTS("or_more" if up else "or_less", language, at=told_exactly(flip.name, flip.at, language))


def told_exactly(name: str, value: float, language: str) -> str:
    """A number with the digits that it has, as a value at which a verdict changes must be told."""
    scale, unit = (100.0, " %") if name in SHARES else (1.0, " SEK" if name in MONEY else "")
    text = f"{value * scale:.6g}"
    digits = len(text.partition(".")[2]) if "e" not in text else 0
    return number(value * scale, language, digits) + unit


def behind_words(found: Assessment, language: str) -> list[str]:
    """The numbers behind the verdict, sentence by sentence; those that are not known are left out."""
    return [*_of_the_robot(found, language), *_of_the_log(found, language), *_of_the_city(found, language)]


def _of_the_robot(found: Assessment, language: str) -> Iterator[str]:
    """Volume, what the rules would settle, and what people spend on it."""
    say, numbers, behind = partial(TEXTS, language=language), found.numbers, found.behind
    sure = float(found.parameters.value("confidence"))
    if numbers.volume:
        volume, cases, days = numbers.volume.estimate(sure), numbers.volume.cases, numbers.volume.days
        each, low, high = _three(volume, language)
        yield say(f"volume_{behind.volume_from}", volume=each, cases=cases, days=days, low=low, high=high)
    if decided := numbers.decided:
        cancel, reject, refer = (round(one) for one in (decided.cancel, decided.reject, decided.refer))
        whole = decided.clear.whole
        yield say("decided_words", rules=behind.rules, all=whole, cancel=cancel, reject=reject, refer=refer)
        yield say("codes_words", codes=_codes(behind.codes))
        value, low, high = _three(numbers.minutes.baseline(decided), language)
        yield say(f"minutes_{numbers.minutes.origin}", value=value, low=low, high=high)
    if behind.older:
        yield say("decided_older", count=behind.older)
    if faults := numbers.faults:
        yield say("faults_words", part=round(faults.part), whole=faults.whole)


def _of_the_log(found: Assessment, language: str) -> Iterator[str]:
    """How people do it today."""
    behind = found.behind
    if behind.ways and behind.rework is not None:
        yield TEXTS("ways_words", language, ways=behind.ways, rework=told("usual", behind.rework, language))
    if drift := found.numbers.drift:
        seen, chance = (told("drift", value, language) for value in (drift.observed, drift.chance[0]))
        yield TEXTS("drift_words", language, observed=seen, chance=chance)


def _of_the_city(found: Assessment, language: str) -> Iterator[str]:
    """What the city has said itself."""
    if found.numbers.errors_today is not None:
        share = told("errors_today", found.numbers.errors_today, language)
        yield TEXTS("errors_known", language, share=share, source=found.parameters["error_rate_today"].source)
    if found.obstacles:
        opened, stopping = (sum(getattr(one, name) for one in found.obstacles) for name in ("open", "stops"))
        every = len(found.obstacles)
        yield TEXTS("obstacles_words", language, all=every, open=opened, blocking=stopping)


def unsaid(found: Assessment, language: str) -> list[str]:
    """What the numbers do not say, the gravest first."""
    say, numbers = partial(TEXTS, language=language), found.numbers
    assumed = [name for name, entry in found.parameters.entries.items() if is_assumed(entry)]
    spread_ = f"{100 * float(found.parameters.value('assumed_spread')):.0f} %"
    lines = [
        (numbers.minutes.origin == "assumed", say("limit_minutes")),
        (bool(assumed), say("limit_assumed", names=", ".join(assumed), spread=spread_)),
        (numbers.volume is not None and found.behind.volume_from == "robot", say("limit_volume_robot")),
        (numbers.errors_today is None, say("limit_errors")),
        (True, say("limit_robot_errors")),
        (True, say("limit_residual")),
        (True, say("limit_hours")),
    ]
    if numbers.volume and numbers.volume.days < YEAR_DAYS:
        lines.insert(2, (True, say("limit_season", days=numbers.volume.days)))
    of_log = [say("limit_log", limit=one) for one in found.behind.log_limits]
    return [text for holds, text in lines if holds] + of_log


def _fields(found: Assessment) -> dict[str, object]:
    """What the criteria's texts need."""
    years = found.parameters.value("longest_payback")
    stopping = [one.id for one in found.obstacles or () if one.stops]
    return {"years": years, "ways": found.parameters.value("usual_ways"), "ids": ", ".join(stopping)}


def _field(value: object, language: str) -> object:
    """What the text of something missing needs; a fraction is a share."""
    return told("usual", value, language) if isinstance(value, float) else value


def _three(estimate: Estimate, language: str) -> tuple[str, str, str]:
    value, low, high = (told("", one, language) for one in (estimate.value, estimate.low, estimate.high))
    return value, low, high


def _codes(codes: Mapping[str, int]) -> str:
    rest = len(codes) - MOST_CODES
    shown = [f"{code} {count}" for code, count in list(codes.items())[:MOST_CODES]]
    return ", ".join(shown) + (f" (+{rest})" if rest > 0 else "")
