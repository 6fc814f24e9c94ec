"""The model card: what a fit rests on, what it is for and not for, whom it could harm, and how it was tested.

After Mitchell et al. (2019), Model cards for model reporting, with the survivorship of the log and what is prior
and what is data besides.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from vardag.water.publish.card.blocks import markdown
from vardag.water.publish.card.content import TEXTS, sections
from vardag.water.publish.card.facts import filled, settings_of, thin
from vardag.water.publish.context import TEXTS as REPORT
from vardag.water.publish.context import ReportContext
from vardag.water.publish.render import POLICY, asset, render

__all__ = ["CARD", "card_html", "card_markdown", "filled", "settings_of", "thin", "write_card"]

CARD = "model-card"  # name of both files in every language, so that a link to them holds


def write_card(
    folder: Path, *, context: ReportContext, evaluation: Mapping[str, Any] | None, language: str
) -> tuple[Path, Path]:
    """Write ``model-card.md`` and ``model-card.html``.

    Parameters
    ----------
    folder
        Made if it is not there.
    context
        With what `predict` found in ``fit``.
    evaluation
        ``evaluation.json`` of the same data, or None.
    language
        ``sv`` or ``en``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{CARD}.md", folder / f"{CARD}.html"
    texts = (write(context, evaluation, language) for write in (card_markdown, card_html))
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def card_markdown(context: ReportContext, evaluation: Mapping[str, Any] | None, language: str) -> str:
    """Write the card as Markdown, its secrecy marking first."""
    lead = f"{_marking(context, language)} {_lead(context, language)}"
    return markdown(_title(context, language), lead, sections(context, evaluation, language))


def card_html(context: ReportContext, evaluation: Mapping[str, Any] | None, language: str) -> str:
    """Write the card as a page that fetches nothing."""
    return render(
        "card.html.j2",
        language=language,
        t=lambda key, **values: TEXTS(key, language, **values),
        report=lambda key, **values: REPORT(key, language, **values),
        policy=POLICY,
        style=Markup(asset("report.css") + asset("card.css")),
        context=context,
        title=_title(context, language),
        lead=_lead(context, language),
        sections=sections(context, evaluation, language),
    )


def _title(context: ReportContext, language: str) -> str:
    return TEXTS("title", language, city=context.city)


def _lead(context: ReportContext, language: str) -> str:
    return TEXTS("lead", language, as_of=context.as_of)


def _marking(context: ReportContext, language: str) -> str:
    words = [REPORT(f"secrecy_{context.secrecy}{part}", language) for part in ("", "_words")]
    synthetic = [REPORT("synthetic", language)] if context.synthetic else []
    return " ".join([f"{words[0]}.", words[1], *synthetic])
