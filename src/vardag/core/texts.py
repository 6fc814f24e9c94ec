"""Everything a person reads, in Swedish and English, in one TOML file per room, or several where a room is large.

The file is a table of keys, each with one text a language::

    rank = { en = "Rank {rank} of {total}", sv = "Plats {rank} av {total}" }
"""

import tomllib
from pathlib import Path

from vardag.core.errors import NotFoundError

LANGUAGES = ("en", "sv")


class Texts:
    """The texts of one room; call it with a key, a language and the values of the text's fields.

    Raises
    ------
    NotFoundError
        When a key or a language is missing; the message names the file.
    """

    def __init__(self, path: Path, *more: Path) -> None:
        self.path = path
        self.entries: dict[str, dict[str, str]] = {}
        for file in (path, *more):
            self.entries |= tomllib.loads(file.read_text(encoding="utf-8"))

    @classmethod
    def of(cls, path: Path, entries: dict[str, dict[str, str]]) -> "Texts":
        """Texts that stand in another file than a TOML of their own, such as a routine's."""
        found = cls.__new__(cls)
        found.path, found.entries = path, entries
        return found

    def __call__(self, key: str, language: str, **values: object) -> str:
        """Return the text of a key in a language, with its fields filled in."""
        text = self.entries.get(key, {}).get(language)
        if text is None:
            raise NotFoundError(f"{self.path.name}: no text {key!r} in {language!r}. Add it to the file.")
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Tell whether there is a text under this key."""
        return key in self.entries

    def incomplete(self) -> list[str]:
        """Keys that lack a language, for the test that wants none."""
        return [key for key, texts in self.entries.items() if set(texts) != set(LANGUAGES)]
