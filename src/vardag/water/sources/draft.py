"""Write guesses down as a commented ``city.toml`` in Swedish or English."""

import json
import re
from collections.abc import Iterator, Sequence

from pyproj import CRS

from vardag.water.schema import DELIVERED, Column
from vardag.water.sources.guess import Guess, city_crs
from vardag.water.sources.notes import TEXTS


def draft(name: str, guesses: Sequence[Guess], language: str) -> str:
    """The text of a city.toml, valid as it stands where nothing is missing."""
    lines = [*_city(name, guesses, language)]
    for guess, source in zip(guesses, _names(guesses), strict=True):
        lines += ["", *(_source(guess, source, language) if guess.table else _unknown(guess, source, language))]
    return "\n".join(lines) + "\n"


def _say(key: str, language: str, **values: object) -> str:
    return TEXTS(f"draft_{key}", language, **values)


def _city(name: str, guesses: Sequence[Guess], language: str) -> Iterator[str]:
    crs = city_crs(guesses)
    zone = "Europe/Stockholm"
    yield from _comment(_say("head", language))
    yield from ["", "[city]", f"name = {_quoted(name)}"]
    yield _with_comment(f"crs = {_quoted(crs or 'EPSG:3006')}", _say("crs" if crs else "crs_unknown", language))
    yield f"language = {_quoted(language)}"
    yield _with_comment(f"timezone = {_quoted(zone)}", _say("timezone", language))
    yield _with_comment("# record_start = 1997-01-01", _say("record_start", language))
    yield _with_comment("# record_end = 2024-12-31", _say("record_end", language))
    yield _with_comment('secrecy = "protected"', _say("secrecy", language))
    yield _with_comment(f"owner = {_quoted(name)}", _say("owner", language))
    yield from ["", "[labels]", _with_comment('events = ["break"]', _say("events", language))]


def _source(guess: Guess, source: str, language: str) -> Iterator[str]:
    assert guess.table is not None
    table = DELIVERED[guess.table]
    yield f"[sources.{source}]"
    yield f"table = {_quoted(table.name)}"
    yield f"path = {_quoted(guess.path)}"
    yield from _crs_line(guess, language)
    yield from ["", f"[sources.{source}.columns]"]
    yield from _comment(_say("columns", language, columns=", ".join(guess.file_columns)))
    yield from (_column(column, guess, language) for column in table.mappable)
    if guess.geometry:
        yield from ["", f"[sources.{source}.geometry]"]
        yield from (f"{part} = {_quoted(column)}" for part, column in guess.geometry.items())


def _crs_line(guess: Guess, language: str) -> Iterator[str]:
    if guess.geometry and guess.crs:
        yield _with_comment(f"crs = {_quoted(guess.crs)}", _say("source_crs", language))
    elif guess.geometry:
        yield _with_comment('# crs = "EPSG:..."', _say("source_crs_unknown", language))
    elif guess.crs:
        yield _with_comment(f"# crs = {_quoted(guess.crs)}", _say("file_crs", language, name=_crs_name(guess.crs)))


def _column(column: Column, guess: Guess, language: str) -> str:
    if column.name in guess.columns:
        found = _quoted(guess.columns[column.name])
        if column.unit in {"m", "mm"}:
            return f'{column.name} = {{ column = {found}, unit = "{column.unit}" }}'
        return f"{column.name} = {found}"
    if column.name in guess.missing:
        return _with_comment(f'{column.name} = "?"', _say("missing", language, meaning=column.doc))
    return _with_comment(f'# {column.name} = ""', column.doc)


def _unknown(guess: Guess, source: str, language: str) -> Iterator[str]:
    yield from _comment(_say("unknown", language, path=guess.path, tables=", ".join(DELIVERED)))
    yield f"# [sources.{source}]"
    yield f"# path = {_quoted(guess.path)}"


def _names(guesses: Sequence[Guess]) -> list[str]:
    """Names of sources from file names, made unique."""
    names: list[str] = []
    for guess in guesses:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", guess.path.rsplit(".", 1)[0]).strip("_") or "source"
        count = sum(name == stem or name.startswith(f"{stem}_") for name in names)
        names.append(f"{stem}_{count + 1}" if stem in names else stem)
    return names


def _comment(text: str) -> list[str]:
    return [f"# {line}".rstrip() for line in text.strip().splitlines()]


def _with_comment(line: str, text: str) -> str:
    return f"{line:<44} # {text}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _crs_name(code: str) -> str:
    return str(CRS.from_user_input(code).name)
