"""Replays on the map what was done: how many went where, what does not follow on the map, and how well it fits.

Fitness is that of token-based replay (W. van der Aalst, Process Mining, Springer 2011, section 7.2; A. Rozinat and
W. van der Aalst, Conformance checking of processes based on monitoring real behavior, Information Systems 33(1),
2008)::

    fitness = 1/2 (1 - missing / consumed) + 1/2 (1 - remaining / produced)

The robot's audit log holds every step, so each move from one step to the next is one token, and one that is not on
the map is a token missing and another that remains: fitness is the share of moves on the map. What a foreign log
comes to is in `conformance`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from vardag.invoices.process.map import Flow, Kind, Map, OffTheMapError

FIRST = 5  # items of a deviation that are named
ENDED = ("done", "failed_business")  # states in which a work item is over


class Noted(Protocol):
    """An entry of the audit log, as far as it tells of the way through the routine."""

    @property
    def item(self) -> int | None:
        """The work item."""

    @property
    def event(self) -> str:
        """What happened."""

    @property
    def body(self) -> Mapping[str, Any]:
        """What more the entry says."""


@dataclass(frozen=True)
class Deviation:
    """A move that is not on the map.

    Attributes
    ----------
    after, came
        The step just left and the one that came; `came` is empty where the item left the map there.
    why
        no_way (no flow leads there), no_step (the map has no such step), not_ended (the case stops where the map
        goes on), outside (settled outside the map).
    items
        The first that did so.
    """

    after: str
    came: str
    why: str
    times: int
    items: tuple[str, ...]


@dataclass(frozen=True)
class Replayed:
    """What a log comes to on a map.

    Attributes
    ----------
    items
        Work items or cases that were replayed.
    went, times
        How many of them came to each step, and how many times.
    flows
        How many times each flow was taken.
    standing
        Where those stand now that have not ended, by step.
    new
        Items that have not begun.
    left_out
        Items whose entries hold no path: they were worked on before the map was followed.
    other_versions
        Items by the version of the map they went by, where it is not this one.
    restarts
        Walks that a fault broke off and that began again.
    """

    items: int
    went: Mapping[str, int]
    times: Mapping[str, int]
    flows: Mapping[str, int]
    deviations: tuple[Deviation, ...]
    produced: int
    consumed: int
    missing: int
    remaining: int
    ended: int = 0
    standing: Mapping[str, int] = field(default_factory=dict)
    new: int = 0
    left_out: int = 0
    other_versions: Mapping[str, int] = field(default_factory=dict)
    restarts: int = 0

    @property
    def fitness(self) -> float | None:
        """Token-based replay fitness, 0 to 1; None where nothing was replayed.

        >>> Replayed(1, {}, {}, {}, (), produced=6, consumed=6, missing=1, remaining=1).fitness
        0.8333333333333334
        """
        if not (self.produced and self.consumed):
            return None
        return (1 - self.missing / self.consumed) / 2 + (1 - self.remaining / self.produced) / 2


class Tally:
    """Counts while a log is replayed."""

    def __init__(self) -> None:
        self.items = self.produced = self.consumed = self.missing = self.remaining = 0
        self.ended = self.new = self.left_out = self.restarts = 0
        self.went: dict[str, set[str]] = {}
        self.times: Counter[str] = Counter()
        self.flows: Counter[str] = Counter()
        self.standing: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.off: dict[tuple[str, str, str], list[str]] = {}

    def visit(self, item: str, step: str) -> None:
        """An item came to a step."""
        self.went.setdefault(step, set()).add(item)
        self.times[step] += 1

    def deviates(self, item: str, after: str, came: str, why: str) -> None:
        """An item made a move that is not on the map."""
        self.off.setdefault((after, came, why), []).append(item)

    def told(self) -> Replayed:
        """All that was counted; the most usual deviation first."""
        off = sorted(self.off.items(), key=lambda one: (-len(one[1]), one[0]))
        return Replayed(
            items=self.items,
            went={step: len(items) for step, items in self.went.items()},
            times=dict(self.times),
            flows=dict(self.flows),
            deviations=tuple(
                Deviation(*move, times=len(items), items=tuple(list(dict.fromkeys(items))[:FIRST]))
                for move, items in off
            ),
            produced=self.produced,
            consumed=self.consumed,
            missing=self.missing,
            remaining=self.remaining,
            ended=self.ended,
            standing=dict(self.standing),
            new=self.new,
            left_out=self.left_out,
            other_versions=dict(self.versions),
            restarts=self.restarts,
        )


def replay(entries: Iterable[Noted], found: Map) -> Replayed:
    """Replay the robot's audit log on its map.

    Parameters
    ----------
    entries
        In the log's order. Those of the robot carry `path` (steps gone through since the last entry with one),
        those of people `step` and `outcome`; an entry ``reserved`` begins a new walk, at the start or at the
        person's step where the item stood.
    """
    tally = Tally()
    told = sorted((entry for entry in entries if entry.item is not None), key=lambda entry: entry.item or 0)
    for item, of_item in groupby(told, key=lambda entry: entry.item):
        _Walk(found, tally, str(item)).follow(list(of_item))
    return tally.told()


class _Walk:
    """One work item on its way along the map, as the log tells it."""

    def __init__(self, found: Map, tally: Tally, item: str) -> None:
        self.map, self.tally, self.item = found, tally, item
        self.at = self.stood = self.version = ""
        self.known: dict[str, str] = {}
        self.over = False

    def follow(self, entries: list[Noted]) -> None:
        """Go through the item's entries."""
        if not any(entry.body.get("path") for entry in entries):
            return self._never_walked(entries)
        self.tally.items += 1
        new = True
        for entry in entries:
            new = new or entry.event == "reserved"
            for step in entry.body.get("path") or ():
                self._come(step, new=new)
                new = False
            self._hear(entry)
        if self.version not in {"", self.map.version}:
            self.tally.versions[self.version] += 1
        if self.over or self._kind(self.at) is Kind.END:
            self.tally.ended += 1
        else:
            self.tally.standing[self.at] += 1
        return None

    def _never_walked(self, entries: list[Noted]) -> None:
        """What was settled without a path is older than the map; the rest has not begun."""
        if any(entry.event in {"decided", "settled"} for entry in entries):
            self.tally.left_out += 1
        else:
            self.tally.new += 1

    def _come(self, step: str, *, new: bool) -> None:
        """The item comes to a step; a new walk takes it up where it stood, or at the start."""
        if new and step in {self.map.start.id, self.stood} - {""}:
            self.tally.restarts += self.at not in {"", step}
            if self.at == "":
                self.tally.visit(self.item, step)
            self.at = step
        else:
            self._move(step)
        if self._kind(step) is Kind.PERSON:
            self.stood = step

    def _move(self, step: str) -> None:
        """A move from where the item is."""
        self.tally.produced += 1
        self.tally.consumed += 1
        way = ways(self.map, self.at, self.known).get(step) if self.at in self.map.steps else None
        if way is None:
            self._off(step, "no_way" if step in self.map.steps else "no_step")
        else:
            self.tally.flows.update(flow.id for flow in way)
        self.tally.visit(self.item, step)
        self.at = step
        if step in self.map.steps:  # what it came to before is over; the log may say anew
            self.known.pop(self.map.steps[step].code, None)

    def _hear(self, entry: Noted) -> None:
        """What the entry tells of outcomes, and of an end that a person decided."""
        body, path = entry.body, entry.body.get("path") or ()
        self.version = body.get("map") or self.version
        if entry.event == "decided" and path and path[-1] in self.map.steps:
            self.known[self.map.steps[path[-1]].code] = str(body.get("action"))
        if entry.event == "settled" and body.get("state") == "waiting" and not body.get("step"):
            self._leave()
        if body.get("outcome"):
            self._decided(str(body.get("step") or ""), str(body["outcome"]), ended=body.get("state") in ENDED)

    def _decided(self, step: str, outcome: str, *, ended: bool) -> None:
        """A person decided where the item stood; the map says what comes then."""
        if step in self.map.steps:
            self.known[self.map.steps[step].code] = outcome
        if not ended:
            return
        self.over = True
        try:
            after = self.map.after(step, self.known) if step in self.map.steps and step == self.at else None
        except OffTheMapError:
            after = None
        if after is not None and after.kind is Kind.END:
            self._move(after.id)
        else:
            self._leave()

    def _leave(self) -> None:
        """The item leaves the map where it is."""
        self.tally.produced += 1
        self.tally.consumed += 1
        self._off("", "outside")

    def _off(self, step: str, why: str) -> None:
        self.tally.missing += 1
        self.tally.remaining += 1
        self.tally.deviates(self.item, self.at, step, why)

    def _kind(self, step: str) -> Kind | None:
        return self.map.steps[step].kind if step in self.map.steps else None


def ways(found: Map, step: str, known: Mapping[str, str]) -> dict[str, list[Flow]]:
    """Steps that may come next, each with the flows that lead there through gateways.

    What is known of outcomes shuts the flows that are for others; of an unknown outcome every flow is open.
    """
    left, seen = found.steps[step].code, {step}
    reached: dict[str, list[Flow]] = {}
    new: list[tuple[str, list[Flow]]] = [(step, [])]
    while new:
        at, way = new.pop(0)
        for flow in _open(found.leaving[at], left, known):
            if found.steps[flow.target].kind is not Kind.CHOICE:
                reached.setdefault(flow.target, [*way, flow])
            elif flow.target not in seen:
                seen.add(flow.target)
                new.append((flow.target, [*way, flow]))
    return reached


def _open(flows: tuple[Flow, ...], left: str, known: Mapping[str, str]) -> list[Flow]:
    """Flows that may be taken; the first that certainly holds shuts those after it."""
    found = []
    for flow in sorted(flows, key=lambda flow: not flow.outcomes):
        came = known.get(flow.step or left)
        if not flow.outcomes or came is None:
            found.append(flow)
        elif came in flow.outcomes:
            return [*found, flow]
    return found
