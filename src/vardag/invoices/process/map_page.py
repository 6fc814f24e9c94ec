"""The page of a map: one HTML file that is complete in itself, with the pictures, the steps and what was mended."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lxml import etree
from markupsafe import Markup

from vardag.core.pages import environment
from vardag.invoices.process import map_words as words
from vardag.invoices.process.conformance import Conformed
from vardag.invoices.process.drawing import Heat, svg
from vardag.invoices.process.map import Kind, Map
from vardag.invoices.process.map_words import TEXTS
from vardag.invoices.process.replay import Replayed

HERE = Path(__file__).parent
MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src {scripts}; "
    "base-uri 'none'; form-action 'none'"
)


class Change(Protocol):
    """Something that was mended, as `routines.mending.Mended` has it."""

    @property
    def step(self) -> str:
        """Id on the map before."""

    @property
    def became(self) -> str:
        """Id on the map after; empty where the step is gone."""

    @property
    def kind(self) -> str:
        """Kind of obstacle."""

    @property
    def wrong(self) -> dict[str, str]:
        """What was wrong, by language."""

    @property
    def done(self) -> dict[str, str]:
        """What was done, by language."""


@dataclass(frozen=True)
class Viewer:
    """bpmn-js, where it was fetched when the program was set up: its script and its styles."""

    script: str
    styles: str


@dataclass(frozen=True)
class Shown:
    """What the page shows."""

    after: Map
    before: Map | None = None
    mended: Sequence[Change] = ()
    replayed: Replayed | None = None
    limits: Sequence[str] = field(default_factory=tuple)


def page(shown: Shown, language: str, *, version: str, viewer: Viewer | None = None) -> str:
    """Make the page.

    Without a viewer there is no script on it; with one, the pictures can be moved and made larger. Everything from
    the maps is escaped, and a content security policy lets no request out.
    """
    pages = environment(HERE)
    scripts = _scripts(shown, language, viewer) if viewer else []
    return pages.get_template("map.html.j2").render(
        language=language,
        t=lambda key, **values: TEXTS(key, language, **values),
        policy=POLICY.format(scripts=" ".join(_hashed(one) for one in scripts) or "'none'"),
        style=Markup(
            (HERE / "page.css").read_text(encoding="utf-8") + (HERE / "map.css").read_text(encoding="utf-8")
        ),
        viewer_style=Markup(viewer.styles.replace("</", "<\\/")) if viewer else "",
        scripts=[Markup(one) for one in scripts],
        title=TEXTS("title_two" if shown.before else "title", language),
        name=shown.after.named(language),
        lead=TEXTS("lead" if words.count(shown.after, Kind.ROBOT) else "lead_people", language),
        facts=_facts(shown, language),
        maps=[_one(found, mark, shown, language) for mark, found in _maps(shown)],
        mended=_mended(shown, language),
        told=told(shown.after, shown.replayed, language) if shown.replayed else None,
        limits=shown.limits,
        version=version,
        map_version=shown.after.version,
    )


def conformance(found: Map, done: Conformed | None, replayed: Replayed | None, language: str) -> dict[str, Any]:
    """What the page of a log tells of its conformance to a map; `done` is None for the robot's own log.

    No case is named.
    """
    unit = "items" if done is None else "cases"
    names = [] if done is None else [*done.matched, *done.unmatched]
    return {
        "name": found.named(language),
        "picture": picture(found, language, replayed, mark="replayed", unit=unit, dark=False),
        "told": None if replayed is None else told(found, replayed, language, unit=unit) | {"items": False},
        "fitness": words.fitness(None, language),
        "matched": [
            (name, words.named(found, done.matched.get(name, ""), language, "unmatched_step"))
            for name in names
            if done is not None
        ],
        "t": lambda key, **values: TEXTS(key, language, **values),
    }


def told(found: Map, replayed: Replayed, language: str, *, unit: str = "items") -> dict[str, Any]:
    """What a page tells of a replay, in words and rows."""
    return {
        "sum": TEXTS(
            f"replay_{unit}",
            language,
            items=replayed.items,
            ended=replayed.ended,
            standing=sum(replayed.standing.values()),
            new=replayed.new,
        ),
        "fitness": words.fitness(replayed, language),
        "deviations": words.deviations(found, replayed, language),
        "items": unit == "items",
        "standing": [
            (words.named(found, step, language, "the_beginning"), count)
            for step, count in sorted(replayed.standing.items(), key=lambda one: (-one[1], one[0]))
        ],
        "legend": TEXTS("legend_counts", language, unit=TEXTS(f"unit_{unit}", language)),
    }


def picture(
    found: Map,
    language: str,
    replayed: Replayed | None = None,
    *,
    mark: str = "map",
    unit: str = "items",
    dark: bool = True,
) -> Markup:
    """The map as SVG, with what was replayed on it; empty where the file has no diagram."""
    heat = Heat(replayed.went, replayed.flows, TEXTS(f"unit_{unit}", language)) if replayed else None
    title = TEXTS("picture_alt", language, name=found.named(language))
    return Markup(svg(found, language, title=title, heat=heat, mark=mark, dark=dark))


def _maps(shown: Shown) -> list[tuple[str, Map]]:
    return [("after", shown.after)] if shown.before is None else [("before", shown.before), ("after", shown.after)]


def _one(found: Map, mark: str, shown: Shown, language: str) -> dict[str, Any]:
    replayed = shown.replayed if found is shown.after else None
    return {
        "mark": mark,
        "title": TEXTS(mark if shown.before else "only", language),
        "svg": picture(found, language, replayed, mark=mark),
        "rows": words.rows(found, language, replayed),
        "sum": words.minutes(words.total(found), language),
        "counted": replayed is not None,
    }


def _facts(shown: Shown, language: str) -> list[tuple[str, str]]:
    after, before = shown.after, shown.before
    robot, person = (words.minutes(words.total(after, kind), language) for kind in (Kind.ROBOT, Kind.PERSON))
    facts = [
        (str(words.count(after, Kind.ROBOT)), TEXTS("fact_robot", language)),
        (str(words.count(after, Kind.PERSON)), TEXTS("fact_person", language)),
        (
            words.minutes(words.total(after), language),
            TEXTS("fact_minutes", language, robot=robot, person=person),
        ),
    ]
    if before is not None:
        facts += [
            (str(words.count(before, Kind.PERSON)), TEXTS("fact_before", language)),
            (words.minutes(words.total(before), language), TEXTS("fact_minutes_before", language)),
        ]
    return facts


def _mended(shown: Shown, language: str) -> list[dict[str, str]]:
    if shown.before is None:
        return []
    return [
        {
            "before": words.named(shown.before, one.step, language, "gone"),
            "after": words.named(shown.after, one.became, language, "gone"),
            "wrong": one.wrong[language],
            "done": one.done[language],
            "kind": TEXTS(f"obstacle_{one.kind}", language),
        }
        for one in shown.mended
    ]


def _scripts(shown: Shown, language: str, viewer: Viewer) -> list[str]:
    """The viewer, and the lines that give it the maps: each takes the place of its picture, once it is drawn."""
    files = {mark: translated(found, language) for mark, found in _maps(shown) if b"BPMNShape" in found.xml}
    own = (HERE / "map.js").read_text(encoding="utf-8")
    data = json.dumps(files, ensure_ascii=True)
    return [one.replace("</", "<\\/") for one in (viewer.script, f"const maps = {data};\n{own}")]


def translated(found: Map, language: str) -> str:
    """The map's file with its names in a language, for a program that draws it."""
    root = etree.fromstring(found.xml, etree.XMLParser(resolve_entities=False, no_network=True))
    for one in root.iter() if language == "en" else ():
        if isinstance(one.tag, str) and one.get("name") == "name_en" and one.tag.endswith("}property"):
            element = one.getparent().getparent().getparent()
            element.set("name", one.get("value") or "")
    for pool in root.iter(f"{MODEL}participant"):
        pool.set("name", found.named(language))
    return str(etree.tostring(root, encoding="unicode"))


def _hashed(script: str) -> str:
    """A script as the content security policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
