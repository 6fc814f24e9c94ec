"""The account as tables in words, for the terminal and for the page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vardag.invoices.hours.account import Account, Line, Span
from vardag.invoices.hours.estimates import Estimate, Interval
from vardag.invoices.hours.limits import TEXTS
from vardag.invoices.process.page import number, span

NOT_KNOWN = "–"


@dataclass(frozen=True)
class Sheet:
    """A table: its heads, its rows, and how many columns from the left are text; the last row may be a sum."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    summed: bool = False


def between(interval: Interval | None, language: str, digits: int = 1) -> str:
    """An interval as text; nothing where there is none."""
    if interval is None:
        return ""
    low, high = (number(end, language, digits) for end in interval)
    return f"{low} – {high}" if "-" in low + high else f"{low}–{high}"


def outcomes(total: Span, language: str) -> Sheet:
    """Outcome by outcome, then what counts against, then the sum."""
    heads = ("outcome", "items", "before", "after", "hours", "interval", "source")
    rows = [_outcome(line, language) for line in total.lines if line.items]
    rows += [
        (
            f"− {TEXTS(f'against_{one.what}', language)}",
            number(one.count, language, 0),
            "",
            "",
            number(0.0 - one.hours, language),
            "",
            TEXTS(f"source_{one.source}", language),
        )
        for one in total.against
        if one.count
    ]
    whole = ("", "", number(total.saved_hours, language), "", "")
    rows.append((TEXTS("in_all", language), number(total.items, language, 0), *whole))
    return Sheet(_heads(heads, language), tuple(rows), summed=True)


def months(found: Account, language: str) -> Sheet:
    """Month by month, and the whole."""
    heads = (
        "month", "items", "hours", "assumed", "cost", "interval_known", "value", "amount",
        "wrong", "ended", "p90", "freed", "rest",
    )  # fmt: skip
    rows = tuple(_month(one, language) for one in (*found.months, found.total))
    return Sheet(_heads(heads, language), rows, summed=True)


def freed(total: Span, language: str) -> Sheet:
    """Where the freed time went, as people say."""
    rows = tuple((one.month, one.to, one.said_by, number(one.hours, language)) for one in total.worth.freed)
    return Sheet(_heads(("month", "to", "said_by", "freed"), language), rows, texts=3)


def _heads(names: Iterable[str], language: str) -> tuple[str, ...]:
    return tuple(TEXTS(f"col_{name}", language) for name in names)


def _outcome(line: Line, language: str) -> tuple[str, ...]:
    still_open = line.outcome in {"waiting", "dead"}
    return (
        TEXTS(f"outcome_{line.outcome}", language),
        number(line.items, language, 0),
        NOT_KNOWN if still_open else _minutes(line.baseline, language),
        NOT_KNOWN if still_open else _minutes(line.residual, language),
        number(line.saved_hours, language),
        between(line.interval, language),
        "" if still_open else " / ".join(_sources(line, language)),
    )


def _minutes(found: Estimate, language: str) -> str:
    """Minutes; with interval and number of observations where they were measured."""
    whole = found.interval is None and float(found.value).is_integer()
    told = number(found.value, language, 0 if whole else 1)
    if found.interval is None:
        return told
    observed = TEXTS("observations", language, n=found.observations)
    return f"{told} ({between(found.interval, language)}; {observed})"


def _sources(line: Line, language: str) -> Iterator[str]:
    """What the two minutes rest on; said once where it is the same."""
    for one in dict.fromkeys((line.baseline.source, line.residual.source)):
        yield TEXTS(f"source_{one}", language)


def _month(one: Span, language: str) -> tuple[str, ...]:
    worth = one.worth
    return (
        one.month or TEXTS("in_all", language),
        number(one.items, language, 0),
        number(one.saved_hours, language),
        number(one.assumed_saved, language),
        number(0.0 - one.cost_hours, language),
        between(one.interval, language),
        number(worth.value_sek, language, 0),
        number(float(worth.amount), language, 0),
        f"{worth.wrong.part}/{worth.wrong.whole}",
        span(worth.ended.median, language),
        span(worth.ended.p90, language),
        number(worth.freed_hours, language) if worth.freed else NOT_KNOWN,
        number(worth.unexplained_hours, language) if worth.freed else NOT_KNOWN,
    )
