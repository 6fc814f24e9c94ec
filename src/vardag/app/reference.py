"""`vardag docs`: the reference pages that are made from the code, so that they cannot drift from it."""

from collections.abc import Callable, Iterable
from pathlib import Path

from vardag.app.desk.rights import MATRIX
from vardag.app.desk.site import pages as desk_pages
from vardag.app.desk.words import TEXTS as DESK_TEXTS
from vardag.core.parameters import Parameters, load
from vardag.invoices.hours import MINUTES
from vardag.invoices.ladder.demands import PARAMETERS as LADDER
from vardag.invoices.persons import PARAMETERS as DESK
from vardag.invoices.persons import Role
from vardag.invoices.process.policy import PARAMETERS as PROCESS
from vardag.invoices.process.policy import READINESS
from vardag.invoices.reading.patterns import LIMITS
from vardag.invoices.rules import documented
from vardag.invoices.rules.policy import DEFAULT as RULES
from vardag.invoices.rules.table import shown
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
        "invoices-decisions.md": documented(),
        "invoices-parameters.md": invoices_parameters_page(),
        "invoices-desk.md": desk_page(),
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
    )
    return head + "".join(parameter_rows(POLICY))


def invoices_parameters_page() -> str:
    """The policy numbers of the invoice robot."""
    head = (
        "# Parameters of the invoice robot\n\nThe packaged values. A city lays its own in "
        "`parameters.yaml`, `ladder.yaml`, `minutes.yaml` and `readiness.yaml` beside its `robot.toml`: only the "
        "names that differ, each with value, unit, date and source.\n"
    )
    return head + "".join(
        f"\n## {title}\n\n`src/vardag/invoices/{path.relative_to(INVOICES_ROOM).as_posix()}`{note}\n\n"
        + "".join(parameter_rows(load(path), shown))
        for title, path, note in INVOICES
    )


INVOICES_ROOM = MINUTES.parents[1]
INVOICES = (
    ("Rules", RULES, ". Which rule uses which: [decisions](invoices-decisions.md)."),
    ("Readiness", READINESS, ". What they are for: [readiness](../how-to/invoices-readiness.md)."),
    ("Minutes and money", MINUTES, ". What they are for: [hours saved](../explanation/hours-saved.md)."),
    ("The ladder", LADDER, ". How they are used: [the ladder](../explanation/ladder.md)."),
    (
        "Discovery and maps",
        PROCESS,
        "; the same for every city. What they are for: [discovery](../how-to/invoices-discover.md).",
    ),
    ("Desk", DESK, ". What it is: [the caseworkers' desk](../how-to/invoices-desk.md)."),
    ("Reading", LIMITS, "; the same for every city."),
)


def desk_page() -> str:
    """Which role may do what at the desk, and the addresses that take each right."""
    roles = tuple(Role)
    head = (
        "# The desk: who may do what\n\nA person may have several roles. Every page and act takes one right; what "
        "is not in the table cannot be done at the desk. How to set it up: [the caseworkers' desk]"
        "(../how-to/invoices-desk.md).\n\n"
        f"| right | {' | '.join(DESK_TEXTS(f'role_{role}', 'en') for role in roles)} | addresses |\n"
        f"|---|{'---|' * len(roles)}---|\n"
    )
    rows = [
        f"| {DESK_TEXTS(f'right_{right}', 'en')} | {' | '.join('yes' if role in held else '' for role in roles)} | "
        f"{', '.join(f'`{page.method} {page.path}`' for page in desk_pages() if page.right is right)} |\n"
        for right, held in MATRIX.items()
    ]
    return head + "".join(rows)


def parameter_rows(parameters: Parameters, write: Callable[[object], str] = str) -> Iterable[str]:
    """A table of parameters, line by line."""
    yield "| parameter | value | unit | date | source |\n|---|---|---|---|---|\n"
    for name, entry in parameters.entries.items():
        yield f"| `{name}` | {write(entry.value)} | {entry.unit} | {entry.date} | {entry.source} |\n"
