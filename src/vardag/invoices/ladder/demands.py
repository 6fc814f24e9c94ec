"""What the ladder demands: the packaged numbers, and a city's own on top of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vardag.core.errors import ConfigError
from vardag.core.parameters import Parameter, load

PARAMETERS = Path(__file__).with_name("parameters.yaml")
Count = Annotated[int, Field(ge=0, strict=True)]
Share = Annotated[float, Field(ge=0, lt=1, strict=True)]


@dataclass(frozen=True)
class Demand:
    """What a rule must have shown to stand on a level.

    Attributes
    ----------
    volume
        Judged decisions on the level below.
    agreement
        Lower bound of the interval of the share that people agreed with, 0 to 1.
    source
        Who demands it, and why.
    """

    volume: int
    agreement: float
    source: str


class Demands(BaseModel):
    """The parameters' values; each is described in ``parameters.yaml``.

    Attributes
    ----------
    sources
        Where each comes from, by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    confidence: Annotated[float, Field(gt=0, lt=1, strict=True)]
    attended_volume: Count
    attended_agreement: Share
    unattended_volume: Count
    unattended_agreement: Share
    window: Annotated[int, Field(ge=1, strict=True)]
    most_disagreements: Count
    control_share: Annotated[float, Field(ge=0, le=1, strict=True)]
    compare_days: Count
    sources: Mapping[str, str] = Field(default_factory=dict)

    def of(self, level: str) -> Demand:
        """What is demanded for the step up to a level, ``attended`` or ``unattended``."""
        names = f"{level}_volume", f"{level}_agreement"
        sources = dict.fromkeys(self.sources[name] for name in names if name in self.sources)
        return Demand(getattr(self, names[0]), getattr(self, names[1]), "; ".join(sources))


def load_demands(own: Path | None = None) -> Demands:
    """Read the packaged numbers, and a city's own file on top of them.

    Raises
    ------
    ConfigError
        When the city's file cannot be read, names an unknown parameter or gives a value of the wrong kind; the
        message names what was found and what was expected.
    """
    packaged = load(PARAMETERS).entries
    changed = _own(own) if own is not None else {}
    name = own.name if own else PARAMETERS.name
    if unknown := sorted(changed.keys() - packaged.keys()):
        raise ConfigError(f"{name}: unknown {', '.join(unknown)}. Known: {', '.join(sorted(packaged))}.")
    entries = {**packaged, **changed}
    values: dict[str, Any] = {key: entry.value for key, entry in entries.items()}
    try:
        return Demands(**values, sources={key: entry.source for key, entry in entries.items()})
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise ConfigError(f"{name}: {wrong['loc'][0]} is {wrong['input']!r}. {wrong['msg']}.") from None


def _own(path: Path) -> Mapping[str, Parameter]:
    """The entries of a city's file, each with a date that is one."""
    try:
        entries = load(path).entries
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError) as error:
        form = "expected name: {value: 200, unit: judged decisions, date: 2026-11-26, source: who decided it}"
        raise ConfigError(f"{path.name}: cannot be read as parameters ({error}); {form}.") from error
    for key, entry in entries.items():
        if not isinstance(entry.date, date):
            raise ConfigError(f"{path.name}: {key} has date {entry.date!r}, expected YYYY-MM-DD.")
    return entries
