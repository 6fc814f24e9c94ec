"""The audit log: its proof, what happened to an item, and the export for the auditor or the archive."""

import tempfile
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from vardag.app.desk.rights import Right
from vardag.app.desk.visit import Page, Place, Visit
from vardag.invoices.commands import desk as acts
from vardag.invoices.commands import look


def log(visit: Visit) -> Response:
    """The proof of the log, and one item's entries."""
    noted, asked = visit.asked("noted")[:64], visit.asked("item")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    store = visit.desk.robot.store
    proof = look.verify(store, noted=noted)
    entries = acts.history(store, number) if number is not None else ()
    wrong = bool(asked) and number is None
    return visit.page("log", proof=proof, noted=noted, asked=asked, entries=entries, wrong=wrong)


def export(visit: Visit) -> Response:
    """The whole log as a file, one entry a line; that it was taken out is an entry too."""
    store = visit.desk.robot.store
    acts.note_export(store, by=visit.name)
    with tempfile.NamedTemporaryFile(prefix="vardag-log-", suffix=".jsonl", delete=False) as file:
        path = Path(file.name)
    look.export(store, path)
    done = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type="application/x-ndjson", filename="vardag-log.jsonl", background=done)


MENU = (Place("log", "/log", Right.LOG),)
PAGES = (Page("/log", Right.LOG, log), Page("/log/export", Right.EXPORT, export, "POST"))
