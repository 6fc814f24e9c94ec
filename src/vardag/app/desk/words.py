"""How the desk writes things: texts, times, spans, amounts, reasons; in the person's language."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from vardag.core.texts import Texts
from vardag.invoices.model import Action, Decision, Money
from vardag.invoices.reading import DOUBTS
from vardag.invoices.robot.desk import DECISION
from vardag.invoices.routines import Routine
from vardag.invoices.rules import Explained, Rule, explain
from vardag.invoices.workitems import Item

TEXTS = Texts(Path(__file__).with_name("texts.toml"))
# Characters that show nothing, or turn the order of others round: a hostile mail could hide words with them. Those
# that scripts and emoji need to be written with (U+200C, U+200D), and the soft hyphen, are let be.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def helpers(language: str, rules: Mapping[str, Rule]) -> Mapping[str, Callable[..., str]]:
    """The functions that pages write with."""
    return {
        "moment": moment,
        "ago": partial(ago, language=language),
        "amount": partial(amount, language=language),
        "number": partial(number, language=language),
        "word": partial(word, language=language),
        "why": partial(why, language=language, rules=rules),
        "asked_amount": partial(asked_amount, language=language),
        "shown": shown,
        "doubt": partial(doubt, language=language),
    }


def word(kind: str, code: object, language: str) -> str:
    """Word for a code (``state``, ``waiting``); the code itself where there is none."""
    key = f"{kind}_{str(code).replace(' ', '_').replace('-', '_')}"
    return TEXTS(key, language) if TEXTS.has(key) else str(code)


def moment(when: datetime | str) -> str:
    """A point in time on this machine's clock, to the minute."""
    at = datetime.fromisoformat(when) if isinstance(when, str) else when
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def ago(when: datetime, language: str) -> str:
    """How long ago, in the unit that suits it."""
    minutes = max(int((datetime.now(UTC) - when).total_seconds() // 60), 0)
    if minutes < 60:
        return TEXTS("span_minutes", language, count=minutes)
    if minutes < 48 * 60:
        return TEXTS("span_hours", language, count=minutes // 60)
    return TEXTS("span_days", language, count=minutes // (24 * 60))


def number(value: float, language: str, digits: int = 0) -> str:
    """A number as the language writes it."""
    text = f"{value:,.{digits}f}"
    return text.replace(",", "\u00a0").replace(".", ",") if language == "sv" else text


def amount(money: Money, language: str) -> str:
    """An amount with its currency."""
    return f"{number(float(money.amount), language, 2)}\u00a0{money.currency}"


def asked_amount(item: Item, language: str) -> str:
    """The invoice's amount, as the decision knew it; a dash where no invoice was found."""
    total = str((item.decision or {}).get("facts", {}).get("total", ""))
    figures, _, currency = total.partition(" ")
    try:
        return f"{number(float(figures), language, 2)}\u00a0{currency}"
    except ValueError:
        return "–"


def reasons(decision: Decision, language: str, rules: Mapping[str, Rule]) -> tuple[Explained, ...]:
    """Every reason of a decision; doubts about the mail in words."""
    return tuple(
        Explained(one.code, _unclear(decision, language) or one.says, one.look) if one.code == "unclear" else one
        for one in explain(decision, language, rules)
    )


def why(item: Item, language: str, rules: Mapping[str, Rule]) -> str:
    """Why an item stands where it does, in a sentence."""
    if item.decision is None:
        return item.told or TEXTS("why_not_yet", language)
    decision: Decision = DECISION.validate_python(item.decision)
    says = reasons(decision, language, rules)[0].says
    if decision.action is Action.CANCEL and item.told:
        return f"{TEXTS('why_confirm', language)} {says}"
    return says


def called(routine: Routine, language: str) -> str:
    """A routine's title; where its file has none, the name on its map."""
    return routine.title.get(language) or routine.map.named(language)


def doubt(code: str, language: str) -> str:
    """A doubt about a mail, in words."""
    return DOUBTS(code, language) if DOUBTS.has(code) else code


def shown(text: str) -> str:
    """A stranger's text with every character that shows nothing made visible; as long as it was."""
    return UNSEEN.sub("\ufffd", text)


def _unclear(decision: Decision, language: str) -> str:
    codes: Any = str(decision.facts.get("doubts", "")).split(",")
    return " ".join(doubt(code.strip(), language) for code in codes if code.strip())
