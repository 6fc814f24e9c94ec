"""Signed steps on the ladder, for one rule of one routine or for many at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from vardag.core.errors import NotFoundError, RefusedError
from vardag.invoices import ladder
from vardag.invoices.ladder import Demands, Level, Rung, Stand
from vardag.invoices.routines import Routine
from vardag.invoices.rules import Policy, acting
from vardag.invoices.store import Store

ALL = "all"
Place = tuple[str, str]  # a routine, and one of its rules


def on_the_ladder(routines: Mapping[str, Routine], policy: Policy) -> tuple[Place, ...]:
    """The rules of these routines that the robot can act on by itself, in order."""
    return tuple((name, code) for name, one in routines.items() for code in acting(policy, one.rules))


def meant(rule: str, known: Sequence[Place]) -> tuple[Place, ...]:
    """The rules that a person means by a code, or by ``all``; a code that several routines have means each.

    Raises
    ------
    NotFoundError
        When there is none of that name on the ladder.
    """
    found = tuple(place for place in known if rule in {ALL, place[1]})
    if not found:
        codes = ", ".join(dict.fromkeys(code for _, code in known))
        raise NotFoundError(f"no rule {rule!r} on the ladder. The robot acts by itself on: {codes}; or all.")
    return found


def state(store: Store, places: Iterable[Place], *, demands: Demands) -> tuple[Stand, ...]:
    """Where each of these rules stands, how people judged it there, and what the next step needs."""
    with store.read() as tx:
        found = [ladder.state(tx, [rule], routine=routine, demands=demands) for routine, rule in places]
    return tuple(stand for one in found for stand in one)


def step(
    store: Store, places: Iterable[Place], to: Level, *, by: str, reason: str, demands: Demands
) -> tuple[list[Rung], dict[Place, str]]:
    """Put rules on another level, one step each; returns the steps, and why the others stayed.

    Raises
    ------
    RefusedError
        When no rule could take the step.
    """
    taken: list[Rung] = []
    refused: dict[Place, str] = {}
    with store.begin() as tx:
        for routine, rule in places:
            try:
                signed = ladder.step(
                    tx, routine=routine, rule=rule, to=to, by=by, reason=reason, demands=demands,
                    now=datetime.now(UTC),
                )  # fmt: skip
                taken.append(signed)
            except RefusedError as error:
                refused[routine, rule] = str(error)
    if not taken:
        raise RefusedError("\n".join(refused.values()))
    return taken, refused


def sign_all(
    store: Store, places: Iterable[Place], level: Level, *, by: str, reason: str, demands: Demands
) -> None:
    """Take every rule to a level in signed steps; for a robot whose demands are met from the start, as in a demo.

    Raises
    ------
    RefusedError
        When one of them has not earned it; no step is written then.
    """
    now = datetime.now(UTC)
    with store.begin() as tx:
        for routine, rule in places:
            ladder.sign_all(tx, [rule], level, routine=routine, by=by, reason=reason, demands=demands, now=now)
