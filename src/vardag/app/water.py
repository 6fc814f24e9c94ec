"""`vardag water ...`: each command parses, calls the command of the same name and prints what came of it.

Commands are imported when they are called: the models and the plots take seconds to import, help should not.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from vardag.app.catalogue import catalogue
from vardag.app.diff import diff
from vardag.app.explain import explain
from vardag.app.presets import presets
from vardag.app.progress import progress
from vardag.app.quality import quality
from vardag.app.review import links, review
from vardag.app.stability import stability
from vardag.app.watch import watch
from vardag.app.words import words
from vardag.core.config import DEFAULT_SEED

app = typer.Typer(help=words("help_water"), epilog=words("example_water"), no_args_is_help=True)
scorecard = typer.Typer(help=words("help_scorecard"), no_args_is_help=True)
app.add_typer(scorecard, name="scorecard")

Language = Literal["sv", "en"]
Folder = Annotated[Path, typer.Argument(help=words("opt_folder"), file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help=words("opt_json"))]
Seed = Annotated[int, typer.Option(help=words("opt_seed"))]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help=words("opt_as_of"))]
Later = Annotated[Path | None, typer.Option("--breaks", help=words("opt_breaks"), exists=True, dir_okay=False)]
Words = Annotated[Language | None, typer.Option(help=words("opt_language"))]


@app.command(help=words("help_init"), epilog=words("example_init"))
def init(
    folder: Folder,
    language: Annotated[Language, typer.Option(help=words("opt_comments"))] = "sv",
    replace: Annotated[bool, typer.Option("--replace", help=words("opt_overwrite"))] = False,
    as_json: AsJson = False,
) -> None:
    """Write a city.toml guessed from the files of a folder."""
    from vardag.app import show
    from vardag.water.commands.init import init as init_city

    show.initialised(init_city(folder, language=language, replace=replace), as_json=as_json)


@app.command(help=words("help_load"), epilog=words("example_load"))
def load(
    folder: Folder,
    only: Annotated[list[str] | None, typer.Option(help=words("opt_only"))] = None,
    accept_shrinking: Annotated[
        bool, typer.Option("--accept-shrinking", help=words("opt_accept_shrinking"))
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help=words("opt_offline"))] = False,
    as_json: AsJson = False,
) -> None:
    """Load the city's files."""
    from vardag.app import show
    from vardag.water.commands.load import load as load_city

    with progress(quiet=as_json) as on_step:
        report = load_city(folder, only=only, accept_shrinking=accept_shrinking, offline=offline, progress=on_step)
    show.loaded(report, as_json=as_json)


@app.command(help=words("help_check"), epilog=words("example_check"))
def check(folder: Folder, as_json: AsJson = False) -> None:
    """Check the data."""
    from vardag.app import show
    from vardag.water.commands.check import check as check_city

    with progress(quiet=as_json) as on_step:
        checked = check_city(folder, on_step=on_step)
    show.checked(checked, as_json=as_json)


@app.command(help=words("help_predict"), epilog=words("example_predict"))
def predict(folder: Folder, as_of: Day = None, seed: Seed = DEFAULT_SEED, as_json: AsJson = False) -> None:
    """Predict the year after a date."""
    from vardag.app import show
    from vardag.water.commands.predict import predict as predict_city

    with progress(quiet=as_json) as on_step:
        predicted = predict_city(folder, as_of=_day(as_of), seed=seed, on_step=on_step)
    show.predicted(predicted, as_json=as_json)


@app.command(help=words("help_evaluate"), epilog=words("example_evaluate"))
def evaluate(
    folder: Folder,
    first: Annotated[int | None, typer.Option(help=words("opt_first"))] = None,
    last: Annotated[int | None, typer.Option(help=words("opt_last"))] = None,
    seed: Seed = DEFAULT_SEED,
    as_json: AsJson = False,
) -> None:
    """Test the predictions against what happened."""
    from vardag.app import show
    from vardag.water.commands.evaluate import evaluate as evaluate_city

    with progress(quiet=as_json) as on_step:
        evaluated = evaluate_city(folder, first=first, last=last, seed=seed, on_step=on_step)
    show.evaluated(evaluated, as_json=as_json)


@app.command(help=words("help_publish"), epilog=words("example_publish"))
def publish(folder: Folder, language: Words = None, as_json: AsJson = False) -> None:
    """Write the maps, the tables and the report."""
    from vardag.app import show
    from vardag.water.commands.publish import publish as publish_city

    with progress(quiet=as_json) as on_step:
        published = publish_city(folder, language=language, on_step=on_step)
    show.published(published, as_json=as_json)


@scorecard.command(help=words("help_lock"), epilog=words("example_lock"))
def lock(
    folder: Folder,
    years: Annotated[int, typer.Option(min=1, max=10, help=words("opt_years"))] = 1,
    as_json: AsJson = False,
) -> None:
    """Lock the last prediction."""
    from vardag.app import show
    from vardag.water.commands import scorecard as scores

    show.locked(scores.lock(folder, years=years), as_json=as_json)


@scorecard.command("check", help=words("help_score"), epilog=words("example_score"))
def score(
    folder: Folder,
    breaks: Later = None,
    source: Annotated[str | None, typer.Option(help=words("opt_source"))] = None,
    lock_file: Annotated[Path | None, typer.Option("--lock", help=words("opt_lock"))] = None,
    through: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help=words("opt_through"))] = None,
    as_json: AsJson = False,
) -> None:
    """Compare a lock with what happened."""
    from vardag.app import score as shown
    from vardag.water.commands import scorecard as scores

    outcome = scores.check(folder, breaks=breaks, source=source, locked=lock_file, through=_day(through))
    shown.scored(outcome, as_json=as_json)


@scorecard.command("years", help=words("help_years"), epilog=words("example_years"))
def over_years(
    folder: Folder,
    breaks: Later = None,
    source: Annotated[str | None, typer.Option(help=words("opt_source"))] = None,
    as_json: AsJson = False,
) -> None:
    """Compare every lock with the year after it."""
    from vardag.app import score as shown
    from vardag.water.commands import scorecard as scores

    shown.scored_years(scores.years(folder, breaks=breaks, source=source), as_json=as_json)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


# Commands that have a file of their own.
for command in (presets, watch, links, diff, catalogue, quality, stability, explain):
    key = command.__name__
    app.command(help=words(f"help_{key}"), epilog=words(f"example_{key}"))(command)
app.add_typer(review, name="review")
