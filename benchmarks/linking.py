"""`python -m benchmarks.linking`: how often a link by position is right, at each confidence it states.

Four arms: the policy numbers alone; with the calibration that the earlier years taught; with what they taught of
how alike neighbours are (u); with both. On demo towns of seeds that no number was chosen by, where the pipe that
broke is known of the breaks without id too; and on Kitchener with the ids hidden. Log loss clips at 0.005.
"""

import argparse
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from vardag.core.parameters import Parameters
from vardag.demo import town
from vardag.water.commands.load import load
from vardag.water.commands.workspace import Tables, read_tables, workspace
from vardag.water.linking import judge
from vardag.water.linking.by_id import judge_ids
from vardag.water.linking.learning import calibrated, learn
from vardag.water.linking.quality import BANDS
from vardag.water.lof.port import POLICY

SEEDS = range(101, 109)
NOTHING_LEARNED = 1e12  # the policy numbers weigh as much as this many breaks
CLIP = 0.005


@dataclass(frozen=True)
class Arm:
    """What is learned from the earlier years."""

    name: str
    chance: bool
    confidence: bool

    def parameters(self, **values: float) -> Parameters:
        """Policy numbers of the arm, and others instead of those in the file."""
        prior = dict(POLICY.value("link_learn_prior"))
        prior |= {} if self.chance else {"agreement": NOTHING_LEARNED}
        prior |= {} if self.confidence else {"confidence": NOTHING_LEARNED}
        told = {"link_learn_prior": prior, **values}
        changed = {name: replace(POLICY[name], value=value) for name, value in told.items()}
        return Parameters(POLICY.path, POLICY.entries | changed)


ARMS = [
    Arm("policy numbers only", chance=False, confidence=False),
    Arm("calibration only", chance=False, confidence=True),
    Arm("learned u only", chance=True, confidence=False),
    Arm("learned u + calibration", chance=True, confidence=True),
]


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kitchener", type=Path, help="folder with Kitchener's three CSV files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        compare_links(Path(scratch), arguments.kitchener)


def compare_links(folder: Path, kitchener: Path | None) -> None:
    """Make the towns, load them and Kitchener, and print how the arms did."""
    found = pl.concat([without_id(made(folder / f"town{seed}", seed)) for seed in SEEDS])
    show(f"Demo towns of the seeds {SEEDS[0]} to {SEEDS[-1]}, breaks without id", found)
    if kitchener:
        tables = loaded(copied(kitchener, folder / "links_kitchener"))
        for variant in ("with_details", "without_details"):
            show(f"Kitchener, ids hidden, {variant.replace('_', ' ')}", hidden(tables, variant))


def made(folder: Path, seed: int) -> Path:
    """A demo town of 300 km and 25 years."""
    town(folder=folder, seed=seed)
    return folder


def copied(data: Path, folder: Path) -> Path:
    """Put Kitchener's files beside the example's city.toml."""
    folder.mkdir(parents=True)
    example = Path(__file__).parents[1] / "examples" / "kitchener" / "city.toml"
    for file in [example, *data.glob("*.csv")]:
        shutil.copyfile(file, folder / file.name)
    return folder


def loaded(folder: Path) -> Tables:
    load(folder)
    with workspace(folder, "benchmark") as work:
        return read_tables(work)


def without_id(folder: Path) -> pl.DataFrame:
    """The best candidate of every break without id: what each arm states (0: nothing near), and is it right."""
    tables = loaded(folder)
    judged = judge_ids(tables.pipes, tables.breaks, parameters=POLICY)
    asked = judged.filter(pl.col("reason") == "no_id").select("break_id")
    written = pl.read_parquet(folder / "truth" / "breaks.parquet")
    truth = written.select("break_id", true=pl.when("in_register").then("pipe_id"))
    found = []
    for arm in ARMS:
        parameters = arm.parameters(link_position_threshold=0.0)  # every best candidate is taken
        links = judge(tables.pipes, tables.breaks, parameters=parameters).links
        both = asked.join(links.join(truth, on="break_id", how="left"), on="break_id", maintain_order="left")
        right = (pl.col("pipe_key") == pl.col("true")).fill_null(value=False)
        found.append(both.select(arm=pl.lit(arm.name), stated="confidence", right=right))
    return pl.concat(found)


def hidden(tables: Tables, variant: str) -> pl.DataFrame:
    """The best candidate of breaks whose pipe is known, or known to be gone, with their ids hidden."""
    judged = judge_ids(tables.pipes, tables.breaks, parameters=POLICY)
    found = []
    for arm in ARMS:
        parameters = arm.parameters()
        learned = learn(tables.pipes, tables.breaks, judged, parameters=parameters)
        asked = learned.hidden.filter(pl.col("variant") == variant)
        stated = calibrated(asked, learned, parameters=parameters)
        found.append(asked.select(arm=pl.lit(arm.name), stated=stated, right="right"))
    return pl.concat(found)


def show(title: str, found: pl.DataFrame) -> None:
    """Print how the arms did in all, at each confidence they state, and what u is worth beside calibration."""
    print(f"### {title}\n")
    scored = found.with_columns(loss=log_loss(), square=(pl.col("stated") - pl.col("right")) ** 2)
    _print_scores(scored)
    _print_bands(scored)
    both, without = (scored.filter(pl.col("arm") == ARMS[number].name)["loss"] for number in (3, 1))
    apart = (both - without).to_numpy()
    error = apart.std() / len(apart) ** 0.5
    print(f"Learned u beside calibration changes log loss by {apart.mean():+.4f} (standard error {error:.4f}).\n")


def log_loss() -> pl.Expr:
    stated = pl.col("stated").clip(CLIP, 1 - CLIP)
    return -pl.when("right").then(stated.log()).otherwise((1 - stated).log())


def _print_scores(scored: pl.DataFrame) -> None:
    threshold = POLICY.value("link_position_threshold")
    print("| | breaks | log loss | Brier score | linked | right | share |\n|---|---:|---:|---:|---:|---:|---:|")
    for arm in ARMS:
        mine = scored.filter(pl.col("arm") == arm.name)
        linked = mine.filter(pl.col("stated") >= threshold)["right"].to_numpy()
        scores = " | ".join(f"{mine[name].to_numpy().mean():.4f}" for name in ("loss", "square"))
        print(f"| {arm.name} | {mine.height} | {scores} | {linked.size} | {linked.sum()} | {linked.mean():.2f} |")
    print()


def _print_bands(scored: pl.DataFrame) -> None:
    """Of each band of stated confidence its mean, the share that was right, and the number of breaks."""
    print("| stated confidence | " + " | ".join(arm.name for arm in ARMS) + " |\n|---|" + "---|" * len(ARMS))
    for low, high in zip(BANDS, [*BANDS[1:], 1.0], strict=True):
        inside = scored.filter((pl.col("stated") >= low) & ((pl.col("stated") < high) | (high == 1.0)))
        cells = [_cell(inside.filter(pl.col("arm") == arm.name)) for arm in ARMS]
        print(f"| {low:.1f} to {high:.1f} | " + " | ".join(cells) + " |")
    print("\nEach cell: mean stated confidence, share that was right, number of breaks.\n")


def _cell(found: pl.DataFrame) -> str:
    if found.is_empty():
        return ""
    stated, right = (found[name].to_numpy().mean() for name in ("stated", "right"))
    return f"{stated:.2f} {right:.2f} ({found.height})"


if __name__ == "__main__":
    main()
