"""Conformance of a foreign event log to a map: its activities are found on the map, and its cases replayed.

Steps that the log never has are taken without a trace where a case needs them, and so are gateways, whose choices
are free; tokens are counted as in `replay` (Rozinat and van der Aalst 2008). Activities that are not on the map are
listed, and are no part of the replay.
"""

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from vardag.invoices.process.map import Flow, Kind, Map, Step
from vardag.invoices.process.replay import Replayed, Tally

OVER = ""  # where the token of a case that has ended lies


@dataclass(frozen=True)
class Conformed:
    """What a foreign log comes to on a map.

    Attributes
    ----------
    matched
        Step by activity.
    unmatched
        Events by activity that is no step of the map; they are in no number of the replay.
    unseen
        Tasks of the map that the log never has, and that are taken without a trace.
    replayed
        None where no activity was found on the map: then nothing can be said.
    """

    matched: Mapping[str, str]
    unmatched: Mapping[str, int]
    unseen: tuple[str, ...]
    cases: int
    replayed: Replayed | None


def match(activities: list[str], found: Map) -> dict[str, str]:
    """Step of each activity, found by id, by code, or by name in either language; one that fits two has none.

    Case and spaces do not count.
    """
    by: list[dict[str, set[str]]] = [{}, {}, {}]
    for step in found.steps.values():
        for names, level in zip(((step.id,), (step.code,), (step.name, step.name_en)), by, strict=True):
            for name in names:
                if name and step.kind is not Kind.CHOICE:
                    level.setdefault(_plain(name), set()).add(step.id)
    matched = {}
    for activity in activities:
        fits = next((level[_plain(activity)] for level in by if _plain(activity) in level), set())
        if len(fits) == 1:
            matched[activity] = next(iter(fits))
    return matched


def conform(events: pl.DataFrame, found: Map) -> Conformed:
    """Replay a log's cases on a map.

    Parameters
    ----------
    events
        `log.EventLog.events`: case and activity, in order.
    """
    counts = dict(events.group_by("activity").agg(pl.len()).sort("activity").iter_rows())
    matched = match(list(counts), found)
    unmatched = dict(
        sorted(((a, n) for a, n in counts.items() if a not in matched), key=lambda one: (-one[1], one[0]))
    )
    tasks = [step.id for step in found.steps.values() if step.kind in {Kind.ROBOT, Kind.PERSON}]
    unseen = tuple(step for step in tasks if step not in matched.values())
    kept = events.filter(pl.col("activity").is_in(list(matched)))
    if not any(step in matched.values() for step in tasks):
        return Conformed(matched, unmatched, unseen, events["case"].n_unique(), None)
    net, tally = _Net(found, frozenset(matched.values())), Tally()
    for case, activities in kept.group_by("case", maintain_order=True).agg("activity").iter_rows():
        net.play(case, [matched[activity] for activity in activities], tally)
    return Conformed(matched, unmatched, unseen, events["case"].n_unique(), tally.told())


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


class _Net:
    """The map as a net: a token lies before a step; a gateway, and an event that the log lacks, only pass it on."""

    def __init__(self, found: Map, seen: frozenset[str]) -> None:
        self.map, self.seen = found, seen
        self.leading: dict[str, dict[str, tuple[int, str, Flow | None]]] = {}

    def play(self, case: str, steps: list[str], tally: Tally) -> None:
        """Replay one case."""
        tokens, last = Counter([self.map.start.id]), ""
        tally.items += 1
        tally.produced += 1
        for step in steps:
            if not self._bring(tokens, step, tally):
                tally.missing += 1
                tally.deviates(case, last, step, "no_way")
                tokens[step] += 1
            self._fire(tokens, self.map.steps[step], tally)
            tally.visit(case, step)
            last = step
        if self._bring(tokens, OVER, tally):
            tally.ended += 1
        else:
            tally.missing += 1
            tally.deviates(case, last, "", "not_ended")
            tokens[OVER] += 1
        tally.consumed += 1
        tokens[OVER] -= 1
        tally.remaining += tokens.total()

    def _fire(self, tokens: Counter[str], step: Step, tally: Tally) -> None:
        """A step takes the token before it, and lays one before the next."""
        tokens[step.id] -= 1
        tally.consumed += 1
        tally.produced += 1
        for flow in self.map.leaving[step.id]:
            tally.flows[flow.id] += 1
            tokens[flow.target] += 1
        if step.kind is Kind.END:
            tokens[OVER] += 1

    def _bring(self, tokens: Counter[str], place: str, tally: Tally) -> bool:
        """Bring a token to a place by the fewest steps that leave no trace; False where none can come there."""
        if place not in self.leading:
            self.leading[place] = self._towards(place)
        leading = self.leading[place]
        near = min(
            (at for at, count in tokens.items() if count > 0 and at in leading),
            key=lambda place: leading[place][0],
            default=None,
        )
        if near is None:
            return False
        at = near
        tokens[at] -= 1
        while at != place:
            _, then, flow = leading[at]
            if self._cost(at):
                tally.consumed += 1
                tally.produced += 1
            if flow is not None:
                tally.flows[flow.id] += 1
            at = then
        tokens[place] += 1
        return True

    def _towards(self, place: str) -> dict[str, tuple[int, str, Flow | None]]:
        """Places from which a token comes here without a trace: over how many steps, and what is next.

        The shortest way, after Dijkstra (1959).
        """
        into: dict[str, list[tuple[str, Flow | None]]] = {}
        for flow in self.map.flows:
            into.setdefault(flow.target, []).append((flow.source, flow))
        into[OVER] = [(step.id, None) for step in self.map.steps.values() if step.kind is Kind.END]
        found: dict[str, tuple[int, str, Flow | None]] = {place: (0, place, None)}
        heap = [(0, place)]
        while heap:
            cost, at = heapq.heappop(heap)
            for before, way in into.get(at, ()):
                if before not in found and before not in self.seen:
                    found[before] = (cost + self._cost(before), at, way)
                    heapq.heappush(heap, (found[before][0], before))
        return found

    def _cost(self, step: str) -> int:
        return int(step != OVER and self.map.steps[step].kind in {Kind.ROBOT, Kind.PERSON})
