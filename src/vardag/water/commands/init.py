"""``vardag water init``: propose a city.toml for a folder of files."""

from pathlib import Path
from typing import Literal

from vardag.core.errors import InputError, RefusedError
from vardag.water.city import CITY_FILE
from vardag.water.sources.draft import draft
from vardag.water.sources.guess import guess_folder


def init(
    folder: Path, *, name: str | None = None, language: Literal["sv", "en"] = "sv", replace: bool = False
) -> Path:
    """Write a commented ``city.toml`` into a folder, guessed from the files in it.

    Parameters
    ----------
    folder
        Folder with the city's files; made where it does not exist.
    name
        The city's name; the folder's name where None.
    language
        Language of the comments, and of what the city's readers will see.
    replace
        Write over a city.toml that is there already.

    Returns
    -------
    Path of the file.

    Raises
    ------
    RefusedError
        When there is a city.toml (cure: edit it, or ``--replace``).
    InputError
        When `folder` is a file.
    """
    path = folder / CITY_FILE
    _refuse_to_overwrite(folder, path, replace=replace)
    folder.mkdir(parents=True, exist_ok=True)
    guesses = guess_folder(folder)
    text = draft(name or folder.resolve().name, guesses, language)
    path.write_text(text, encoding="utf-8")
    return path


def _refuse_to_overwrite(folder: Path, path: Path, *, replace: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: this is a file, expected a folder.")
    if path.exists() and not replace:
        raise RefusedError(f"{path}: exists already. Edit it, or write over it with --replace.")
