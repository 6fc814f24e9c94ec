"""`vardag invoices init`: a robot's folder to begin with, in shadow mode.

The packaged patterns and answers are laid there too: from then on they are the city's own words.
"""

import shutil
from pathlib import Path

from vardag.core.errors import RefusedError
from vardag.core.texts import Texts
from vardag.invoices.answers.templates import PACKAGED as TEMPLATES
from vardag.invoices.commands.obstacles import example
from vardag.invoices.process.obstacles import NAME as OBSTACLES
from vardag.invoices.reading.patterns import PATTERNS
from vardag.invoices.settings import NAME

TEXTS = Texts(Path(__file__).with_name("init.toml"))
FILES = (NAME, "allow-list.yaml", "parameters.yaml", "ladder.yaml", "minutes.yaml", "readiness.yaml", OBSTACLES)


def init(folder: Path, *, language: str = "sv", replace: bool = False) -> list[Path]:
    """Write the folder's files, with comments in a language.

    Raises
    ------
    RefusedError
        When one of them is there and `replace` does not say that it may be lost.
    """
    there = [name for name in FILES if (folder / name).exists()]
    if there and not replace:
        raise RefusedError(f"{folder}: holds {', '.join(there)} already. Write them anew with --replace.")
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).write_text(TEXTS(name.partition(".")[0].replace("-", "_"), language).lstrip(), "utf-8")
    (folder / OBSTACLES).write_text(example(language), "utf-8")
    shutil.copy(PATTERNS, folder / "patterns.yaml")
    shutil.copytree(TEMPLATES, folder / "templates", dirs_exist_ok=True)
    return [folder / name for name in (*FILES, "patterns.yaml", "templates")]
