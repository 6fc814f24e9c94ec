"""`vardag water watch`: look into a folder again and again, until Ctrl-C or SIGTERM."""

import signal
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from vardag.app.words import words
from vardag.core.errors import ConfigError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def watch(
    folder: Annotated[Path, typer.Argument(help=words("opt_folder"), file_okay=False)],
    every: Annotated[str, typer.Option(help=words("watch_opt_every"))] = "60s",
    once: Annotated[bool, typer.Option("--once", help=words("watch_opt_once"))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Load whenever a file has changed."""
    from vardag.app.show import loaded, machine, person
    from vardag.core.errors import VardagError
    from vardag.water.commands.watch import watch as watch_folder

    def failed(error: VardagError) -> None:
        if as_json:
            return machine({"error": str(error)})
        return person().print(words("watch_failed", error=error), markup=False)

    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    seconds = _seconds(every)
    if not (as_json or once):
        person().print(words("watch_begins", folder=folder, every=every), markup=False)
    watch_folder(
        folder,
        on_load=lambda report: loaded(report, as_json=as_json),
        on_error=failed,
        every_s=seconds,
        once=once,
        stop=stop,
    )


def _seconds(text: str) -> float:
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    try:
        seconds = float(number) * UNITS[unit]
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise ConfigError(f"--every is {text!r}, expected a time such as 60s, 5m or 1h, at most 24h.")
    return seconds
