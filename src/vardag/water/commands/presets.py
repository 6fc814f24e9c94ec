"""``vardag water presets``: the ready-made mappings of public sources, and what to write to use one."""

from dataclasses import dataclass
from typing import Any, Literal

from vardag.core.errors import NotFoundError
from vardag.water.city import did_you_mean
from vardag.water.city.presets import FOR_PEOPLE, preset, preset_names, preset_text

Language = Literal["sv", "en"]
# What stands in the lines to paste until a person mends it; a small box, so that nobody fetches a country.
FILE, BBOX = "FILE", [17.0, 58.7, 17.1, 58.8]


@dataclass(frozen=True)
class Preset:
    """One ready-made mapping.

    Attributes
    ----------
    name, table
        What to write as ``preset``, and the table that it fills.
    about
        What it is, in the language that was asked for.
    owner, licence
        Who answers for the data and under which terms; None where every city has its own.
    basis
        Where the layer and column names were read, and how sure they are.
    lines
        What to paste into city.toml.
    settings
        Everything that the preset fills in.
    text
        The preset's file as it stands.
    """

    name: str
    table: str
    about: str
    owner: str | None
    licence: str | None
    basis: str
    lines: str
    settings: dict[str, Any]
    text: str


def presets(*, language: Language = "sv") -> list[Preset]:
    """All ready-made mappings, by name."""
    return [_preset(name, language) for name in preset_names()]


def one_preset(name: str, *, language: Language = "sv") -> Preset:
    """Return one ready-made mapping.

    Raises
    ------
    NotFoundError
        When there is none of that name; the message lists those there are.
    """
    known = preset_names()
    if name not in known:
        raise NotFoundError(
            f"no preset {name!r}, expected one of {', '.join(known)}.{did_you_mean(name, known)} "
            "See them all: vardag water presets"
        )
    return _preset(name, language)


def _preset(name: str, language: Language) -> Preset:
    raw = preset(name)
    return Preset(
        name=name,
        table=raw["table"],
        about=raw["about"][language],
        owner=raw.get("owner"),
        licence=raw.get("licence"),
        basis=raw["basis"],
        lines="\n".join(_lines(name, raw)),
        settings={key: value for key, value in raw.items() if key not in FOR_PEOPLE},
        text=preset_text(name),
    )


def _lines(name: str, raw: dict[str, Any]) -> list[str]:
    """A source's table; a service with a known address needs the place instead of a file."""
    origin = f"bbox = {BBOX}" if "url" in raw else f'path = "{FILE}"'
    return [f"[sources.{name}]", f'preset = "{name}"', origin]
