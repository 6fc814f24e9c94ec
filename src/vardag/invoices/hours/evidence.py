"""What the account rests on beside the log: parameters, the stopwatch's observations, and where freed time went."""

from dataclasses import dataclass
from pathlib import Path

from vardag.core.errors import ConfigError
from vardag.core.parameters import Parameters, load
from vardag.invoices.hours import freed as where_it_went
from vardag.invoices.hours import timings as stopwatch
from vardag.invoices.hours.freed import Freed
from vardag.invoices.hours.timings import Timing

MINUTES = Path(__file__).with_name("minutes.yaml")


@dataclass(frozen=True)
class Evidence:
    """Parameters by name, observations of the stopwatch, and what people say of the freed time."""

    parameters: Parameters
    timings: tuple[Timing, ...] = ()
    freed: tuple[Freed, ...] = ()

    def number(self, name: str) -> float:
        """Value of a parameter."""
        return float(self.parameters.value(name))


def evidence(folder: Path | None = None) -> Evidence:
    """What lies in a robot's folder, on top of the packaged assumptions; those alone without a folder.

    Raises
    ------
    ConfigError
        When `minutes.yaml` or `freed.yaml` cannot be used.
    InputError
        When lines of `timings.csv` cannot be used.
    """
    if folder is None:
        return Evidence(minutes())
    parameters = minutes(folder / "minutes.yaml")
    longest = float(parameters.value("longest_observation"))
    return Evidence(
        parameters,
        stopwatch.read(folder / stopwatch.NAME, longest=longest),
        where_it_went.read(folder / where_it_went.NAME),
    )


def minutes(own: Path | None = None) -> Parameters:
    """Minutes and money: the packaged assumptions, and a city's own numbers on top.

    Raises
    ------
    ConfigError
        When the city's file has a name that does not exist, or a value that is no number.
    """
    packaged = load(MINUTES)
    measured = load(own).entries if own is not None and own.exists() else {}
    if unknown := sorted(measured.keys() - packaged.entries.keys()):
        known = ", ".join(sorted(packaged.entries))
        raise ConfigError(f"{MINUTES.name}: unknown {', '.join(unknown)}. Known: {known}.")
    for name, entry in measured.items():
        is_number = isinstance(entry.value, int | float) and not isinstance(entry.value, bool)
        if not is_number and not isinstance(packaged.value(name), str):
            raise ConfigError(f"{MINUTES.name}: {name} has the value {entry.value!r}, expected a number.")
    return Parameters(packaged.path, packaged.entries | measured)
