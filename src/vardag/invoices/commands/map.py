"""`vardag invoices map`: checks a routine's map, replays on it what was done, and writes its page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from vardag import __version__
from vardag.core.errors import InputError, NotFoundError
from vardag.invoices import audit, process
from vardag.invoices import store as stored
from vardag.invoices.process import map_words
from vardag.invoices.process.bpmn import read_map
from vardag.invoices.process.map import Kind, Map
from vardag.invoices.process.map_page import Shown, Viewer, page, picture
from vardag.invoices.process.replay import Replayed, replay
from vardag.invoices.routines import BEFORE, CANCELLATION, MAP, OUTCOMES, find_map
from vardag.invoices.routines.mending import MENDED, Mended, read_mended
from vardag.invoices.store import Store


@dataclass(frozen=True)
class Mapped:
    """A routine's maps, what was mended between them, and what was replayed on the map that the robot follows."""

    map: Map
    before: Map | None
    mended: tuple[Mended, ...]
    path: Path
    replayed: Replayed | None = None
    limits: tuple[str, ...] = ()
    written: Path | None = None


def look_at(
    target: Path,
    *,
    language: str,
    routine: str = CANCELLATION,
    before: bool = False,
    store: Store | None = None,
    out: Path | None = None,
    viewer: Viewer | None = None,
) -> Mapped:
    """Read the map and what lies beside it; replay, and write the page, where that is asked for.

    Parameters
    ----------
    target
        A BPMN file; or a robot's folder, whose own routine goes before the packaged one.
    before
        Look at the map before alone: as people did it.
    store
        The robot's database, for the replay of its audit log; None replays nothing.
    out
        File for the page; or, where it ends in ``.svg``, for the picture alone.
    """
    if not target.exists():
        raise NotFoundError(f"{target}: no such file or folder. Give a BPMN file, or a robot's folder.")
    path = target if target.suffix == ".bpmn" or target.is_file() else find_map(routine, target / "routines")
    done = _read(path, before=before)
    if store is not None:
        replayed = replay(entries_of(store, routine), done.map)
        limits = map_words.limits(replayed, done.map, process.load_parameters(), language)
        done = replace(done, replayed=replayed, limits=tuple(limits))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(_drawn(done, language, viewer, alone=out.suffix == ".svg"), encoding="utf-8")
        done = replace(done, written=out)
    return done


def _drawn(done: Mapped, language: str, viewer: Viewer | None, *, alone: bool) -> str:
    """The page; or the picture of the map alone."""
    if alone:
        found = str(picture(done.map, language, done.replayed))
        if not found:
            raise InputError(
                f"{done.path.name}: has no diagram, so there is no picture. Draw it in a BPMN modeler."
            )
        return found
    shown = Shown(done.map, done.before, done.mended, done.replayed, done.limits)
    return page(shown, language, version=__version__, viewer=viewer)


def map_called(name: str, folder: Path | None = None, routine: str = CANCELLATION) -> Map:
    """A map by its file, or by ``before`` and ``after``: those of a routine, the folder's own before the packaged.

    Raises
    ------
    NotFoundError
        When there is no such file, and it is neither before nor after.
    """
    own = folder / "routines" if folder else None
    if name in {"before", "after"}:
        return _read(find_map(routine, own), before=name == "before").map
    if not Path(name).is_file():
        raise NotFoundError(f"{name}: no such map. Give a BPMN file, or one of before and after.")
    return _read(Path(name), before=False).map


def _read(path: Path, *, before: bool) -> Mapped:
    """The maps of a routine; a file called before.bpmn, and one beside the map, is people's alone."""
    beside = path.with_name(BEFORE)
    if before:
        alone = beside if path.name == MAP else path
        return Mapped(read_map(alone, {}), None, (), alone)
    found = read_map(path, {} if path.name == BEFORE else OUTCOMES)
    if path.name != MAP or not beside.is_file():
        return Mapped(found, None, (), path)
    earlier = read_map(beside, {})
    return Mapped(found, earlier, read_mended(path.with_name(MENDED), earlier, found), path)


def entries_of(store: Store, routine: str = CANCELLATION) -> list[audit.Entry]:
    """The log's entries of a routine's items."""
    with store.read() as tx:
        of_others = sa.select(stored.item.c.id).where(stored.item.c.routine != routine)
        others = set(tx.execute(of_others).scalars())
        return [entry for entry in audit.entries(tx) if entry.item is not None and entry.item not in others]


def facts(done: Mapped, language: str) -> dict[str, Any]:
    """All of it, for a machine."""
    return {
        "path": str(done.path),
        **_of_map(done.map, language),
        "before": _of_map(done.before, language) if done.before else None,
        "mended": [
            {"step": one.step, "became": one.became, "kind": one.kind, "wrong": one.wrong, "done": one.done}
            for one in done.mended
        ],
        "replay": map_words.numbers(done.replayed, items=True),
        "limits": list(done.limits),
        "written": done.written,
    }


def _of_map(found: Map, language: str) -> Mapping[str, Any]:
    kinds = (Kind.ROBOT, Kind.PERSON)
    return {
        "name": found.named(language),
        "version": found.version,
        "steps": map_words.rows(found, language),
        "minutes": {kind.value: map_words.total(found, kind) for kind in kinds},
    }
