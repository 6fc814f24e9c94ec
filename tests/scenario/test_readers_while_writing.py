"""On a server, commands that only read work beside one that writes; a second writer is told who it is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from shutil import copytree, ignore_patterns
from threading import Event

import pytest

from deliveries import predicted
from stored import rows
from vardag.core.config import settings
from vardag.core.errors import DatabaseError
from vardag.water.commands.catalogue import catalogue
from vardag.water.commands.check import check
from vardag.water.commands.diff import diff
from vardag.water.commands.predict import predict
from vardag.water.commands.publish import publish


def copy_of(folder: Path, name: str) -> Path:
    return Path(copytree(folder, folder.parent / name, ignore=ignore_patterns("*.duckdb*")))


def test_readers_work_while_one_writes(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VARDAG_DATABASE", server)
    settings.cache_clear()
    writer = predicted(tmp_path / "writer")
    first, second = copy_of(writer, "first"), copy_of(writer, "second")
    begun, go_on = Event(), Event()

    def wait(step: str, done: float) -> None:
        begun.set()
        assert go_on.wait(120)

    with ThreadPoolExecutor(3) as pool:
        try:
            predicting = pool.submit(predict, writer, as_of=date(2019, 12, 31), on_step=wait)
            assert begun.wait(60)
            reading = [pool.submit(publish, first), pool.submit(diff, second)]
            assert all(Path(path).exists() for path in reading[0].result().paths)
            assert reading[1].result().pipes == 401
            assert catalogue(first, day=date(2026, 3, 3)).entries
            with pytest.raises(DatabaseError, match="locked by water predict by"):
                check(second)
        finally:
            go_on.set()
        predicting.result()
    assert rows(first, "SELECT DISTINCT as_of FROM prediction") == [(date(2019, 12, 31),)]
    commands = {command for (command,) in rows(second, "SELECT command FROM run")}
    assert {"water publish", "water diff", "water catalogue"} <= commands
    settings.cache_clear()
