"""What a whole column says about its decimal sign: 1,234 is a thousand or one and a bit."""

import dataclasses
from collections import Counter
from dataclasses import dataclass

import polars as pl

from vardag.core.errors import ConfigError, InputError
from vardag.water.sources.fields import Field
from vardag.water.sources.numbers import PROOFS, UNDECIDED, parse_numbers, plain_floats, split


@dataclass
class NumberSurvey:
    """What one column of numbers has shown so far.

    ``proofs`` counts cells that can only be read with a decimal sign; ``misfits`` counts numbers that cannot be
    read with it; ``undecided`` counts cells such as 1,234.
    """

    field: Field
    stated: str | None = None
    semicolons: bool = False
    cells: int = 0
    unreadable: int = 0
    undecided: int = 0
    proofs: Counter[str] = dataclasses.field(default_factory=Counter)
    misfits: Counter[str] = dataclasses.field(default_factory=Counter)
    first: dict[str, str] = dataclasses.field(default_factory=dict)

    def look(self, text: pl.Series, lines: pl.Series) -> None:
        """Take a chunk of the column into account."""
        frame = pl.DataFrame({"text": text, "line": lines}).drop_nulls("text")
        self.cells += frame.height
        plain = plain_floats(frame["text"]).is_not_null()
        self.proofs["."] += self._count(".", frame.filter(plain & frame["text"].str.contains(PROOFS["."])))
        frame = frame.filter(~plain)
        if frame.is_empty():
            return
        digits = split(frame["text"]).digits
        self.unreadable += self._count("unreadable", frame.filter(digits.is_null()))
        frame, digits = frame.filter(digits.is_not_null()), digits.drop_nulls()
        for sign, pattern in PROOFS.items():
            self.proofs[sign] += self._count(sign, frame.filter(digits.str.contains(pattern)))
            self.misfits[sign] += parse_numbers(digits, decimal=sign).null_count()
        self.undecided += self._count("undecided", frame.filter(digits.str.contains(UNDECIDED)))

    def decide(self, where: str) -> str:
        """The decimal sign of the column.

        Raises
        ------
        InputError
            When both signs are proved, or most cells are no numbers.
        ConfigError
            When it cannot be told.
        """
        if self.field.hopeless(unreadable=self.unreadable, cells=self.cells):
            raise InputError(
                f"{where}: {self.field.label()}: {self.unreadable:,} of {self.cells:,} cells are no numbers "
                f"(first: {self.first['unreadable']}). Map another column."
            )
        return self.stated or self._proved(where)

    def _proved(self, where: str) -> str:
        proved = [sign for sign in PROOFS if self.proofs[sign]]
        if len(proved) == 2:
            proved = [sign for sign in proved if not self.misfits[sign]]
        if proved:
            return proved[0]
        if self.proofs.total():
            raise InputError(
                f"{where}: {self.field.label()} mixes decimal commas ({self.first[',']}) and decimal points "
                f"({self.first['.']}), expected one. Mend the file, or state in city.toml what holds: "
                'decimal = ",".'
            )
        if self.undecided and not self.semicolons:
            raise ConfigError(
                f"{where}: {self.field.label()} has {self.undecided:,} numbers whose comma may part decimals or "
                f"thousands (first: {self.first['undecided']}). State it in city.toml under the source: "
                'decimal = "," or decimal = ".".'
            )
        return "," if self.undecided else "."

    def _count(self, key: str, frame: pl.DataFrame) -> int:
        if frame.height and key not in self.first:
            text, line = frame.row(0)
            self.first[key] = f"{text!r} in line {line}"
        return frame.height
