"""`vardag demo`: a synthetic town, from its files to maps and proof, in five lines."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vardag.app.progress import progress
from vardag.app.words import words
from vardag.core.config import DEFAULT_SEED
from vardag.core.errors import RefusedError

if TYPE_CHECKING:
    from vardag.water.commands.evaluate import Evaluated
    from vardag.water.commands.load import LoadReport
    from vardag.water.commands.predict import Predicted
    from vardag.water.publish import Published

TEST_YEARS = 5
TENTH = 0.1  # the top 10 % of length


def demo(
    folder: Annotated[Path, typer.Option(help=words("opt_demo_folder"))] = Path("demo"),
    km: Annotated[float, typer.Option(min=5, help=words("opt_km"))] = 300.0,
    seed: Annotated[int, typer.Option(help=words("opt_seed"))] = DEFAULT_SEED,
    as_json: Annotated[bool, typer.Option("--json", help=words("opt_json"))] = False,
) -> None:
    """Make the town, load it, predict, evaluate, publish and lock."""
    from vardag.app import show
    from vardag.demo import town as make_town
    from vardag.water.commands.evaluate import evaluate
    from vardag.water.commands.load import load
    from vardag.water.commands.predict import predict
    from vardag.water.commands.publish import publish
    from vardag.water.commands.scorecard import lock

    with progress(quiet=as_json) as on_step:
        on_step("town", 0.0)
        town = make_town(folder=folder, seed=seed, km=km)
        on_step("town", 1.0)
        loaded = load(folder, progress=on_step)
        predicted = predict(folder, seed=seed, on_step=on_step)
        evaluated = evaluate(folder, first=town.record_end.year - TEST_YEARS + 1, seed=seed, on_step=on_step)
        published = publish(folder, on_step=on_step)
        with suppress(RefusedError):  # the town was made here before, and its lock stands
            lock(folder)
    facts = town_facts(folder, loaded, predicted, evaluated, published)
    if as_json:
        show.machine(facts)
    else:
        show.person().print(words("demo_done", **facts), markup=False)


def town_facts(
    folder: Path, loaded: "LoadReport", predicted: "Predicted", evaluated: "Evaluated", published: "Published"
) -> dict[str, Any]:
    """The figures of the five lines."""
    headline = evaluated.document["populations"]["register"]["1"]["headline"]
    place = evaluated.document["levels"].index(TENTH)
    caught = {row["model"]: 100 * row["capture"][place] for row in headline}
    return {
        "km": predicted.length_km,
        "pipes": predicted.pipes,
        "rows": sum(source.rows_in for source in loaded.sources),
        "quarantined": sum(sum(source.quarantined.values()) for source in loaded.sources),
        "breaks": predicted.label_breaks,
        "expected": predicted.expected_breaks,
        "years": TEST_YEARS,
        "caught": caught[headline[0]["model"]],
        "past": caught["past_breaks_per_km"],
        "oldest": caught["oldest_first"],
        "report": published.report,
        "geopackage": published.geopackage,
        "folder": folder,
    }
