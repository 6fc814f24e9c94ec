"""The templates of the answers: packaged ones, and a city's own in their place, file by file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vardag.invoices.model import BusinessError

PACKAGED = Path(__file__).with_name("templates")
LANGUAGES = ("sv", "en")
SIGNATURE = "signature"
NAMES = (
    "already_credited", "cancelled_credit", "cancelled_void", "missing", "neutral", "received", "referred",
    "rejected", SIGNATURE,
)  # fmt: skip
# Every field is always there, and empty where there is nothing to say.
FIELDS: Mapping[str, str] = {
    "amount": "1 250,00 kr",
    "because": "the invoice has been paid",
    "contact_mail": "ekonomi@kommun.se",
    "contact_phone": "0123-456 78",
    "credit_note": "90017",
    "date": "2026-11-24",
    "number": "10421",
    "organisation": "Vardaga kommun",
    "reference": "A7F3",
    "refund": "400,00 kr",
    "subject": "Makulera faktura 10421",
    "team": "Ekonomiservice",
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a template: its file, line (0 for all of it), field where it is one, and the cure."""

    file: str
    line: int
    field: str
    says: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.says}" if self.line else f"{self.file}: {self.says}"


@cache
def environment(own: Path | None = None, routine: Path | None = None) -> ImmutableSandboxedEnvironment:
    """Jinja2 that runs nothing of its own, and stops at a field that is not there.

    A city's own templates go before a routine's, and those before the packaged ones.
    """
    folders = [folder for folder in (own, routine, PACKAGED) if folder]
    return ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder, encoding="utf-8") for folder in folders]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the answers are plain text
    )


def render(
    name: str, language: str, fields: Mapping[str, str], own: Path | None = None, routine: Path | None = None
) -> tuple[str, str]:
    """Subject and text of an answer, with its signature.

    Raises
    ------
    BusinessError
        When a template cannot be used; `check_templates` tells why beforehand.
    """
    jinja = environment(own, routine)
    try:
        text = jinja.get_template(f"{language}/{name}.txt").render(fields)
        signature = jinja.get_template(f"{language}/{SIGNATURE}.txt").render(fields)
    except (TemplateError, UnicodeDecodeError, TypeError, ValueError, ArithmeticError) as error:
        raise BusinessError(
            f"{language}/{name}.txt cannot be used ({error}). Run the check of templates."
        ) from error
    subject, _, body = text.strip().partition("\n")
    return subject.strip(), f"{body.strip()}\n\n-- \n{signature.strip()}\n"


def check_templates(own: Path | None = None) -> list[Problem]:
    """Look through a city's folder of templates, or the packaged ones; empty when all can be used."""
    folder = own or PACKAGED
    if not folder.is_dir():
        return [
            Problem(folder.name, 0, "", "is no folder. Make it with sv/ and en/ in it, or leave the setting out.")
        ]
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return [problem for path in files for problem in check_file(path, path.relative_to(folder).as_posix())]


def check_file(path: Path, name: str) -> Iterator[Problem]:
    """What is wrong with one file."""
    known = [f"{language}/{template}.txt" for language in LANGUAGES for template in NAMES]
    if name not in known:
        yield Problem(name, 0, "", f"is no template. Known: {', '.join(known)}.")
        return
    try:
        text = path.read_text(encoding="utf-8")
        tree = environment().parse(text, filename=name)
        environment().from_string(text)  # unknown filters and tests show when it is compiled
    except UnicodeDecodeError as error:
        yield Problem(name, 0, "", f"is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.")
    except TemplateSyntaxError as error:
        yield Problem(name, error.lineno, "", f"cannot be read as a template: {error.message}")
    else:
        unknown = list(unknown_fields(tree, name))
        yield from unknown or rendered(text, name)


def unknown_fields(tree: nodes.Template, name: str) -> Iterator[Problem]:
    """Fields that do not exist, each with its line."""
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    builtin = set(environment().globals)
    for node in tree.find_all(nodes.Name):
        if node.ctx == "load" and node.name not in own | builtin | set(FIELDS):
            says = f"there is no field {node.name}. Known: {', '.join(sorted(FIELDS))}."
            yield Problem(name, node.lineno, node.name, says)


def rendered(text: str, name: str) -> Iterator[Problem]:
    """What shows only when the template is filled in, with every field and with none."""
    for fields in (FIELDS, dict.fromkeys(FIELDS, "")):
        try:
            first = environment().from_string(text).render(fields).strip().partition("\n")
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            yield Problem(name, 0, "", f"cannot be filled in: {error}")
            return
        if not first[0].strip() or (not first[2].strip() and not name.endswith(f"{SIGNATURE}.txt")):
            yield Problem(name, 1, "", "needs a first line, which is the subject, and a text below it.")
            return
