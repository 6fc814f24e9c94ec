"""Read and validate a city folder's ``city.toml``; every fault is reported with its line and its cure."""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vardag.core.errors import ConfigError
from vardag.water.city.lines import Loc, key_lines, line_of
from vardag.water.city.model import CatalogueSection, CityFile, Source, model_at
from vardag.water.city.presets import preset_names, with_presets
from vardag.water.city.semantics import Problem, did_you_mean, problems

CITY_FILE = "city.toml"
DATABASE_FILE = "vardag.duckdb"

EXPECTED = {
    "string_type": "text in quotes",
    "date_type": "a date without quotes, such as 1997-01-01",
    "int_type": "a whole number",
    "list_type": 'a list, such as ["A", "B"]',
    "dict_type": "a table",
    "model_type": '"COLUMN", or a table such as { column = "COLUMN", unit = "mm" }',
}

__all__ = ["CITY_FILE", "DATABASE_FILE", "City", "did_you_mean"]


@dataclass(frozen=True, kw_only=True)
class City:
    """A city as its ``city.toml`` describes it.

    Attributes
    ----------
    folder
        The city folder; source paths are relative to it.
    crs
        Projected, metric coordinate system of everything in the database.
    record_start, record_end
        First and last day of the break log that count as complete; None where not stated.
    synthetic
        True for a made-up city; every publication says so.
    events
        Events of the break log that are the label, such as ``("break",)``.
    configuration_hash
        SHA-256 of the file's text.
    """

    folder: Path
    name: str
    crs: str
    language: str
    timezone: str
    record_start: date | None
    record_end: date | None
    secrecy: str
    synthetic: bool
    owner: str | None
    events: tuple[str, ...]
    sources: dict[str, Source]
    configuration_hash: str
    catalogue: CatalogueSection | None = None

    @property
    def database(self) -> Path:
        """The city's DuckDB file."""
        return self.folder / DATABASE_FILE

    @classmethod
    def read(cls, folder: Path) -> "City":
        """Read ``city.toml`` of a folder.

        Raises
        ------
        ConfigError
            When the file is missing (cure: ``vardag water init``), is no TOML, or has faults. The message names
            each fault's line, what was found, what was expected and what to do.
        """
        text = _text(folder)
        raw = _toml(text)
        lines = key_lines(text)
        unknown = list(unknown_presets(raw))
        if unknown:
            raise _faults(unknown, lines)
        try:
            file = CityFile.model_validate(with_presets(raw))
        except ValidationError as error:
            raise _faults(_structural(error, raw), lines) from None
        found = list(problems(file, folder))
        if found:
            raise _faults(found, lines)
        return cls(
            folder=folder,
            events=tuple(file.labels.events),
            sources=file.sources,
            catalogue=file.catalogue,
            configuration_hash=hashlib.sha256(text.encode()).hexdigest(),
            **dict(file.city),
        )


def _text(folder: Path) -> str:
    path = folder / CITY_FILE
    if not path.is_file():
        raise ConfigError(f"{path}: no such file. Make one with: vardag water init {folder}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(f"{CITY_FILE} line {line}: not UTF-8. Save the file as UTF-8.") from None


def unknown_presets(raw: dict[str, Any]) -> Iterator[Problem]:
    """Sources that name a preset which there is not."""
    known = preset_names()
    sources = raw.get("sources")
    for name, source in sources.items() if isinstance(sources, dict) else ():
        wanted = source.get("preset") if isinstance(source, dict) else None
        if wanted is not None and wanted not in known:
            yield Problem(
                ("sources", name, "preset"),
                f"preset {wanted!r} is unknown, expected one of {', '.join(known)}."
                + did_you_mean(str(wanted), known),
            )


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error).replace("(at line ", "(line ")
        raise ConfigError(
            f"{CITY_FILE}: not valid TOML: {reason}. Text values stand in quotes, tables in [brackets]."
        ) from None


def _faults(found: Iterable[Problem], lines: dict[Loc, int]) -> ConfigError:
    numbered = sorted((line_of(lines, problem.loc), problem.message) for problem in found)
    return ConfigError("\n".join(f"{CITY_FILE} line {line}: {message}" for line, message in numbered))


def _structural(error: ValidationError, raw: dict[str, Any]) -> Iterator[Problem]:
    """Turn pydantic's errors into sentences; a union reports once, not once per alternative."""
    seen: set[Loc] = set()
    for detail in error.errors():
        loc = _loc_in_file(detail["loc"], raw)
        if loc not in seen:
            seen.add(loc)
            yield Problem(loc, _sentence(loc, detail))


def _loc_in_file(loc: tuple[int | str, ...], raw: Any) -> Loc:
    """The part of pydantic's path that exists in the file, and the name of a key that is missing."""
    path: list[str] = []
    for part in loc:
        if not isinstance(raw, dict) or not isinstance(part, str):
            break
        path.append(part)
        if part not in raw:
            break
        raw = raw[part]
    return tuple(path)


def _sentence(loc: Loc, detail: Any) -> str:
    where = f"[{'.'.join(loc[:-1])}]" if len(loc) > 1 else "the file"
    if detail["type"] == "extra_forbidden":
        model = model_at(loc[:-1])
        known = list(model.model_fields) if model else []
        return f"{where} has an unknown key {loc[-1]!r}, expected one of {', '.join(known)}." + did_you_mean(
            loc[-1], known
        )
    if detail["type"] == "missing":
        return f"{where} lacks {loc[-1]}. Add it."
    plain = detail["msg"].removeprefix("Input should be ")
    expected = EXPECTED.get(detail["type"], plain[0].lower() + plain[1:])
    return f"{'.'.join(loc)} is {detail['input']!r}, expected {expected}."
