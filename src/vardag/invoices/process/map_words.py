"""A map, and what was replayed on it, in words: the rows of the lists beside the picture, and the limits."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vardag.core.parameters import Parameters
from vardag.core.texts import Texts
from vardag.invoices.process.conformance import Conformed
from vardag.invoices.process.map import Flow, Kind, Map, Step
from vardag.invoices.process.replay import Replayed

TEXTS = Texts(Path(__file__).with_name("map_texts.toml"))
NAMED = 8  # activities or steps that a limit names
LEAST_CASES = 2  # one case is no routine


def minutes(value: float | None, language: str) -> str:
    """Minutes as a person writes them; a dash where nobody has said any."""
    return "–" if value is None else f"{value:g}".replace(".", "," if language == "sv" else ".")


def total(found: Map, kind: Kind | None = None) -> float:
    """Minutes by hand of all steps once, or of those of a kind."""
    return sum(step.minutes or 0 for step in found.steps.values() if kind in {None, step.kind})


def count(found: Map, kind: Kind) -> int:
    """How many steps there are of a kind."""
    return sum(step.kind is kind for step in found.steps.values())


def rows(found: Map, language: str, replayed: Replayed | None = None) -> list[dict[str, Any]]:
    """Each step with what the map says of it, from the start along the ways."""
    return [
        {
            "id": step.id,
            "name": step.named(language),
            "about": step.told("about", language),
            "kind": step.kind.value,
            "who": TEXTS(f"kind_{step.kind}", language),
            "role": step.told("role", language),
            "minutes": minutes(step.minutes, language) if step.kind in {Kind.ROBOT, Kind.PERSON} else "",
            "systems": ", ".join(step.told("systems", language)),
            "wrong": step.told("goes_wrong", language),
            "then": [_then(found, flow, language) for flow in found.leaving[step.id]],
            "times": replayed.went.get(step.id, 0) if replayed else None,
        }
        for step in _in_order(found)
    ]


def _in_order(found: Map) -> Iterable[Step]:
    """Steps as they are come to from the start, breadth first."""
    seen, new = {found.start.id: None}, [found.start.id]
    while new:
        for flow in found.leaving[new.pop(0)]:
            if flow.target not in seen:
                seen[flow.target] = None
                new.append(flow.target)
    return [found.steps[name] for name in seen]


def _then(found: Map, flow: Flow, language: str) -> str:
    words = (flow.name_en if language == "en" else "") or flow.name
    words = words or (TEXTS("otherwise", language) if flow.default else ", ".join(flow.outcomes))
    target = found.steps[flow.target].named(language)
    return f"{words}: {target}" if words else target


def named(found: Map, step: str, language: str, otherwise: str) -> str:
    """Name of a step; the words of the beginning or the end for none, and the id for one that is not on the map."""
    if not step:
        return TEXTS(otherwise, language)
    return found.steps[step].named(language) if step in found.steps else step


def deviations(found: Map, replayed: Replayed, language: str) -> list[dict[str, Any]]:
    """What is not on the map, the most usual first."""
    return [
        {
            "after": named(found, one.after, language, "the_beginning"),
            "came": named(found, one.came, language, "the_end"),
            "why": TEXTS(f"why_{one.why}", language),
            "times": one.times,
            "items": ", ".join(one.items),
        }
        for one in replayed.deviations
    ]


def fitness(replayed: Replayed | None, language: str) -> str:
    """How well it fits, with the tokens; or that there is too little to say so."""
    if replayed is None or replayed.fitness is None or replayed.items < LEAST_CASES:
        return TEXTS("fitness_none", language)
    told = f"{replayed.fitness:.4f}".replace(".", "," if language == "sv" else ".")
    tokens = {name: getattr(replayed, name) for name in ("missing", "consumed", "remaining", "produced")}
    return TEXTS("fitness", language, fitness=told, **tokens)


def numbers(replayed: Replayed | None, *, items: bool) -> dict[str, Any] | None:
    """A replay's numbers for a machine; without the cases' names where they are not ours to tell."""
    if replayed is None:
        return None
    shown = replayed.fitness if replayed.items >= LEAST_CASES else None
    told = asdict(replayed) | {"fitness": shown}
    if not items:
        for one in told["deviations"]:
            del one["items"]
    return told


def limits(replayed: Replayed, found: Map, parameters: Parameters, language: str) -> list[str]:
    """What the replay of the robot's own log cannot tell."""
    told = _few(replayed, parameters, language)
    if replayed.left_out:
        told.append(TEXTS("limit_left_out", language, count=replayed.left_out))
    if other := sum(replayed.other_versions.values()):
        told.append(TEXTS("limit_versions", language, count=other, version=found.version))
    return told


def limits_of_log(done: Conformed, found: Map, parameters: Parameters, events: int, language: str) -> list[str]:
    """What the conformance of a foreign log cannot tell."""
    told = []
    unmatched = sum(done.unmatched.values())
    if done.replayed is None:
        return [TEXTS("limit_no_match", language, activities=_some(done.unmatched or done.matched))]
    told += _few(done.replayed, parameters, language)
    if unmatched:
        fields: Mapping[str, Any] = {"events": unmatched, "all": events, "activities": _some(done.unmatched)}
        told.append(TEXTS("limit_unmatched", language, **fields))
    if done.unseen:
        steps = _some(found.steps[step].named(language) for step in done.unseen)
        told.append(TEXTS("limit_unseen", language, steps=steps))
    return [*told, TEXTS("limit_choices", language), TEXTS("limit_open", language)]


def _few(replayed: Replayed, parameters: Parameters, language: str) -> list[str]:
    few = int(parameters.value("few_cases"))
    if replayed.items == 0:
        return [TEXTS("limit_nothing", language)]
    if replayed.items < LEAST_CASES:
        return [TEXTS("limit_one", language)]
    return [TEXTS("limit_few", language, items=replayed.items, few=few)] if replayed.items < few else []


def _some(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:NAMED]) + (f" … ({len(every)})" if len(every) > NAMED else "")
