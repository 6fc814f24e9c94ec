"""Ready-made mappings of public sources: one TOML file each, holding what a ``[sources.<name>]`` table may hold.

A source that names a preset takes everything from it that it does not say itself; tables such as ``columns`` and
``vocabulary`` are merged key by key. ``about`` (sv, en) and ``basis`` (where the layer and column names were read,
and when) are for people.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOR_PEOPLE = ("about", "basis")


def preset_names() -> list[str]:
    """Names of the presets, in order."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.toml"))


@cache
def preset(name: str) -> dict[str, Any]:
    """One preset as it stands in its file."""
    return tomllib.loads(preset_text(name))


def preset_text(name: str) -> str:
    """Text of a preset's file, remarks included."""
    return (Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")


def with_presets(raw: dict[str, Any]) -> dict[str, Any]:
    """A city.toml with every named preset filled in under what the source says itself."""
    sources = raw.get("sources")
    if not isinstance(sources, dict):
        return raw
    return {**raw, "sources": {name: _filled(source) for name, source in sources.items()}}


def _filled(source: Any) -> Any:
    if not isinstance(source, dict) or not isinstance(source.get("preset"), str):
        return source
    base = {key: value for key, value in preset(source["preset"]).items() if key not in FOR_PEOPLE}
    return _merged(base, source)


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Own values win; tables are merged, but a column's mapping is one value."""
    merged = dict(base)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = {**base[key], **value} if both else value
    return merged
