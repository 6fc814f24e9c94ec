"""The one template environment: everything is escaped unless it was written by this program as markup."""

from functools import cache
from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).with_name("templates")
# Of a page without scripts: it may ask for nothing from anywhere.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@cache
def environment() -> jinja2.Environment:
    """Jinja2 with escaping always on and no silent blanks for misspelt names."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(name: str, **values: Any) -> str:
    """Fill in a template."""
    return environment().get_template(name).render(**values)


def asset(name: str) -> str:
    """Read a file of the templates folder as it is: the style sheet and the scripts."""
    return (TEMPLATES / name).read_text(encoding="utf-8")
