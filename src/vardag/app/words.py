"""The texts of the command line, in the language of ``VARDAG_LANGUAGE`` (en unless it says sv)."""

from pathlib import Path

from vardag.core.config import settings
from vardag.core.texts import Texts

HERE = Path(__file__).parent
TEXTS = Texts(HERE / "texts.toml", *sorted(HERE.glob("*_texts.toml")))


def words(key: str, *, language: str | None = None, **values: object) -> str:
    """Text of a key in a language, by default the one of the settings."""
    return TEXTS(key, language or settings().language, **values)
