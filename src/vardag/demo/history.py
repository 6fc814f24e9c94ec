"""How the made-up town cancelled invoices before the robot: half a year's event log, as a finance system gives it.

Nobody in it exists. The ways and their shares, the minutes and the volume are made up; what a city really has is in
its own log.
"""

import csv
import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

NAME = "history.csv"
HEAD = ("Ärendenummer", "Aktivitet", "Start", "Tidpunkt", "Handläggare", "Enhet")
WEEKS, A_WEEK = 26, 48
READ, LOOK_UP, DECIDE = ("Begäran läst", 2.0), ("Faktura uppslagen", 2.5), ("Beslut", 1.5)
CREDIT, ANSWER, ASK = ("Kreditfaktura skapad", 3.5), ("Svar skickat", 2.5), ("Komplettering begärd", 3.0)
ATTEST = ("Attest", 2.0)
WAYS = (  # share of the cases, and the steps with their usual minutes
    (0.62, (READ, LOOK_UP, DECIDE, CREDIT, ANSWER)),
    (0.14, (READ, LOOK_UP, DECIDE, ANSWER)),
    (0.12, (READ, LOOK_UP, ASK, LOOK_UP, DECIDE, CREDIT, ANSWER)),
    (0.08, (READ, LOOK_UP, DECIDE, ATTEST, CREDIT, ANSWER)),
    (0.04, (READ, LOOK_UP, DECIDE, CREDIT, ANSWER, LOOK_UP, CREDIT, ANSWER)),
)
PEOPLE = {"Kundfakturor": 6, "Ekonomi": 5}
OFFICE_HOURS = time(8), 8  # when the day begins, and for how many hours work is taken up


def history(path: Path, *, seed: int, today: date) -> Path:
    """Write the log; the same seed and day give the same file."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(HEAD)
        for number, began in enumerate(_begins(rng, today), start=1):
            writer.writerows(_case(rng, number, began))
    return path


def _begins(rng: random.Random, today: date) -> Iterator[datetime]:
    """When the requests came: on working days, in office hours."""
    monday = today - timedelta(days=today.weekday(), weeks=WEEKS)
    opens, hours = OFFICE_HOURS
    for week in range(WEEKS):
        for _ in range(round(rng.gauss(A_WEEK, A_WEEK**0.5))):
            day = monday + timedelta(weeks=week, days=rng.randrange(5))
            yield datetime.combine(day, opens) + timedelta(minutes=rng.randrange(60 * hours))


def _case(rng: random.Random, number: int, began: datetime) -> Iterator[tuple[object, ...]]:
    """A case's rows: each step with start, end, and who did it."""
    (_, steps), moment = rng.choices(WAYS, [share for share, _ in WAYS])[0], began
    hands = {unit: f"{unit[:3].lower()}{rng.randrange(count)}" for unit, count in PEOPLE.items()}
    for name, minutes in steps:
        unit = "Ekonomi" if name == ATTEST[0] else "Kundfakturor"
        ended = moment + timedelta(minutes=minutes * rng.lognormvariate(0, 0.4))
        yield number, name, f"{moment:%Y-%m-%d %H:%M:%S}", f"{ended:%Y-%m-%d %H:%M:%S}", hands[unit], unit
        moment = ended + timedelta(minutes=rng.expovariate(1 / 45))
