"""`vardag docs`: the reference pages that are made from the code, so that they cannot drift from it."""

from pathlib import Path

from vardag.water import features, schema
from vardag.water.checks import checks_reference
from vardag.water.lof.port import POLICY

HEAD = "<!-- Made by `make docs`; change the code, not this page. -->\n\n"


def write_pages(folder: Path) -> list[Path]:
    """Write the reference pages into a folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(HEAD + text, encoding="utf-8")
    return [folder / name for name in pages()]


def pages() -> dict[str, str]:
    """Text of each generated page, by file name."""
    return {
        "tables.md": schema.reference(),
        "checks.md": checks_reference(),
        "features.md": features_page(),
        "parameters.md": parameters_page(),
    }


def features_page() -> str:
    """What each feature is, and what its knowledge rests on."""
    rows = [
        f"| `{row['name']}` | {row['family']} | {row['knows']} | {row['doc']} | {row['why']} |\n"
        for row in features.data_card()
    ]
    head = (
        "# Features\n\nOne function in `vardag.water.features` is one column. *dated*: rests on dated facts up to "
        "`as_of`. *static*: cannot change while the pipe lies there. *undated*: rests on today's register or map, "
        "because no date was delivered; the last column says why that gives nothing away.\n\n"
        "| feature | family | knows | meaning | why undated is harmless |\n|---|---|---|---|---|\n"
    )
    return head + "".join(rows)


def parameters_page() -> str:
    """The policy numbers with unit, date and source."""
    head = (
        "# Parameters\n\nThe policy numbers of `src/vardag/water/parameters.yaml`; none is a literal in code.\n\n"
        "| parameter | value | unit | date | source |\n|---|---|---|---|---|\n"
    )
    rows = [
        f"| `{name}` | {entry.value} | {entry.unit} | {entry.date} | {entry.source} |\n"
        for name, entry in POLICY.entries.items()
    ]
    return head + "".join(rows)
