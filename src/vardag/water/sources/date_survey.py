"""What a whole column says about its date notations.

03/04/2005 is March or April; only the rest of the column can tell. A column that proves both orders, or neither,
is never guessed: the message asks for ``formats``.
"""

import dataclasses
from collections import Counter
from dataclasses import dataclass

import polars as pl

from vardag.core.errors import ConfigError, InputError
from vardag.water.sources.dates import FAMILIES, Clock, parse_dates, parse_one, take_apart
from vardag.water.sources.fields import Field

UTC = Clock("UTC")


@dataclass
class DateSurvey:
    """What one date column has shown so far.

    Attributes
    ----------
    cells
        Cells with anything in them.
    proofs
        Cells that a notation reads and its twin cannot, or that has no twin.
    either
        By family: cells that both twins read, as different days.
    same
        By family: cells that both twins read as the same day, such as 04/04/2005.
    first
        First cell of each kind, for messages.
    """

    field: Field
    cells: int = 0
    unreadable: int = 0
    proofs: Counter[str] = dataclasses.field(default_factory=Counter)
    either: Counter[int] = dataclasses.field(default_factory=Counter)
    same: Counter[int] = dataclasses.field(default_factory=Counter)
    first: dict[str, str] = dataclasses.field(default_factory=dict)

    def look(self, text: pl.Series, lines: pl.Series) -> None:
        """Take a chunk of the column into account."""
        frame = pl.DataFrame({"text": text, "line": lines}).drop_nulls("text")
        self.cells += frame.height
        if self.field.formats:
            days = parse_dates(frame["text"], self.field.formats, self.field.clock or UTC)
            frame = frame.filter(days.is_null())
        else:
            for number in sorted(range(len(FAMILIES)), key=lambda number: -self._hits(number)):
                if frame.height:
                    frame = self._family(number, frame)
        self.unreadable += self._count("unreadable", frame)

    def decide(self, where: str) -> tuple[str, ...]:
        """The notations of the column, most frequent first.

        Raises
        ------
        InputError
            When the order of day and month is mixed, or most cells are no dates.
        ConfigError
            When the order of day and month cannot be told.
        """
        hits: Counter[str] = Counter(dict.fromkeys(self.field.formats, 1))
        if not hits:
            for number in range(len(FAMILIES)):
                hits[self._settle(where, number)] += self._hits(number)
        if sum(hits.values()) > hits["excel_day"]:  # five digits among real dates are a mistake, not a day number
            self.unreadable += hits.pop("excel_day", 0)
        if self.field.hopeless(unreadable=self.unreadable, cells=self.cells):
            raise InputError(self._most_are_no_dates(where))
        return tuple(notation for notation, count in hits.most_common() if count)

    def counts(self) -> str:
        """The notations found and their cells, for a note."""
        found = {family[0]: self._hits(number) for number, family in enumerate(FAMILIES)}
        return ", ".join(f"{name} ({count})" for name, count in Counter(found).most_common() if count)

    def _hits(self, number: int) -> int:
        return sum(self.proofs[n] for n in FAMILIES[number]) + self.either[number] + self.same[number]

    def _family(self, number: int, frame: pl.DataFrame) -> pl.DataFrame:
        """Count the cells that belong to one family and return the others."""
        family = FAMILIES[number]
        parts = take_apart(frame["text"])
        days = [parse_one(parts, notation, self.field.clock or UTC) for notation in family]
        read = [series.is_not_null() for series in days]
        if len(family) == 1:
            self.proofs[family[0]] += self._count(family[0], frame.filter(read[0]))
            return frame.filter(~read[0])
        self.proofs[family[0]] += self._count(family[0], frame.filter(read[0] & ~read[1]))
        self.proofs[family[1]] += self._count(family[1], frame.filter(read[1] & ~read[0]))
        differ = (days[0] != days[1]).fill_null(False)
        self.either[number] += self._count(f"either {number}", frame.filter(differ))
        self.same[number] += frame.filter(read[0] & read[1] & ~differ).height
        return frame.filter(~(read[0] | read[1]))

    def _count(self, key: str, frame: pl.DataFrame) -> int:
        if frame.height and key not in self.first:
            text, line = frame.row(0)
            self.first[key] = f"{text!r} in line {line}"
        return frame.height

    def _settle(self, where: str, number: int) -> str:
        """The notation of a family; of twins, the one that the column proves."""
        family = FAMILIES[number]
        proved = [notation for notation in family if self.proofs[notation]]
        if len(proved) == 2:
            raise InputError(self._mixed(where, *family))
        if not proved and self.either[number]:
            raise ConfigError(self._undecided(where, number))
        return proved[0] if proved else family[0]

    def _mixed(self, where: str, day_first: str, month_first: str) -> str:
        return (
            f"{where}: {self.field.label()} mixes dates with the day first ({self.proofs[day_first]:,} cells, "
            f"{self.first[day_first]}) and with the month first ({self.proofs[month_first]:,} cells, "
            f"{self.first[month_first]}), expected one order. Mend the file, or state in city.toml what holds: "
            f'formats = ["{day_first}"] or formats = ["{month_first}"].'
        )

    def _undecided(self, where: str, number: int) -> str:
        day_first, month_first = FAMILIES[number]
        return (
            f"{where}: {self.field.label()} has {self.either[number]:,} dates whose day and month cannot be told "
            f"apart (first: {self.first[f'either {number}']}), and no cell that shows their order. State it in "
            f'city.toml: formats = ["{day_first}"] or formats = ["{month_first}"].'
        )

    def _most_are_no_dates(self, where: str) -> str:
        return (
            f"{where}: {self.field.label()}: {self.unreadable:,} of {self.cells:,} cells are no dates in "
            f"{'the stated' if self.field.formats else 'any known'} notation (first: "
            f"{self.first.get('unreadable') or self.first['excel_day']}). Map another column, or state the "
            'notation in city.toml: formats = ["%d.%m.%y"].'
        )
