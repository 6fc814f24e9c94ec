"""What was mended in a routine between the maps before and after, and why: ``mended.toml`` beside them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from vardag.core.errors import ConfigError
from vardag.invoices.process.map import Map

MENDED = "mended.toml"
KINDS = ("legal", "economic", "organisational", "system")


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid")
    en: str
    sv: str


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    step: str
    became: str
    kind: str
    wrong: _Words
    done: _Words


@dataclass(frozen=True)
class Mended:
    """One thing that was mended.

    Attributes
    ----------
    step, became
        Id on the map before, and on the map after; `became` is empty where the step is gone.
    kind
        legal, economic, organisational or system (system management).
    wrong, done
        What was wrong and what was done, by language.
    """

    step: str
    became: str
    kind: str
    wrong: dict[str, str]
    done: dict[str, str]


def read_mended(path: Path, before: Map, after: Map) -> tuple[Mended, ...]:
    """Read what was mended; nothing where there is no such file.

    Raises
    ------
    ConfigError
        When it is no TOML, lacks something, or names a step that is not on its map.
    """
    if not path.is_file():
        return ()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = [_Entry.model_validate(one) for one in _tables(path, found)]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path.name}: {where}: {first['msg']}.") from None
    for place, one in enumerate(entries, start=1):
        _known(path.name, place, one, before, after)
    return tuple(Mended(**one.model_dump()) for one in entries)


def _tables(path: Path, found: dict[str, Any]) -> list[Any]:
    tables = found.get("mended")
    if not isinstance(tables, list) or set(found) != {"mended"}:
        raise ConfigError(f"{path.name}: expected tables [[mended]] and nothing else; found {', '.join(found)}.")
    return tables


def _known(name: str, place: int, one: _Entry, before: Map, after: Map) -> None:
    for step, steps in ((one.step, before.steps), (one.became, after.steps)):
        if step and step not in steps:
            raise ConfigError(
                f"{name}: entry {place}: no step {step} on the map; steps: {', '.join(sorted(steps))}."
            )
    if one.kind not in KINDS:
        raise ConfigError(f"{name}: entry {place}: kind {one.kind!r}; expected one of {', '.join(KINDS)}.")
