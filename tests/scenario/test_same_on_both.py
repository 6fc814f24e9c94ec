"""What a city gets is the same to the last digit, whether its data live in a DuckDB file or on a server."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from deliveries import predicted
from vardag.core.config import settings
from vardag.water.commands import scorecard
from vardag.water.commands.catalogue import catalogue
from vardag.water.commands.check import check
from vardag.water.commands.evaluate import evaluate
from vardag.water.commands.publish import publish
from vardag.water.commands.quality import quality
from vardag.water.commands.review import links, review

OF_THE_RUN = {"run_id", "run", "loaded_at", "seal"}  # a seal is over the run, too


def results(folder: Path) -> dict[str, Any]:
    """Run the commands one after the other."""
    predicted(folder)
    found: dict[str, Any] = {
        "check": check(folder),
        "evaluate": evaluate(folder, first=2022).document,
        "links": links(folder),
        "review": review(folder),
        "quality": quality(folder, effect=False).document,
        "lock": json.loads(scorecard.lock(folder).read_text(encoding="utf-8")),
        "score": scorecard.check(folder, through=date(2022, 12, 31)).document(),
    }
    publish(folder)
    catalogue(folder, day=date(2026, 3, 3))
    return found


def plain(value: Any) -> Any:
    """A result without what differs between two runs on one and the same database."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items() if key not in OF_THE_RUN}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def test_every_result_is_the_same(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = results(tmp_path / "file")
    monkeypatch.setenv("VARDAG_DATABASE", server)
    settings.cache_clear()
    there = results(tmp_path / "server")
    for name, found in here.items():
        assert plain(found) == plain(there[name]), name
    files = sorted(path.name for path in (tmp_path / "file" / "out").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "server" / "out").iterdir())
    tables = [name for name in files if name.endswith(".parquet")]
    assert len(tables) > 1
    for name in tables:
        frames = [pl.read_parquet(tmp_path / where / "out" / name) for where in ("file", "server")]
        apart = [column for column in OF_THE_RUN if column in frames[0].columns]
        assert_frame_equal(frames[0].drop(apart), frames[1].drop(apart), check_exact=True)
