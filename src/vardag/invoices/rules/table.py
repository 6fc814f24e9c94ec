"""The decision table for the documents, made from the catalogue and the parameters."""

from vardag.core.texts import LANGUAGES
from vardag.invoices.model import Action
from vardag.invoices.rules.catalogue import Rule, in_order
from vardag.invoices.rules.deciding import EDITION
from vardag.invoices.rules.policy import Policy, load_policy

HEAD = ("order", "code", "when", "decision", "effect", "a person may overrule", "parameter", "source")
INTRODUCTION = (
    "Every rule is asked about every request. The first in this order that objects settles the decision; the "
    "codes of all that have something to say go with it. One person who confirms, and who is not the one who "
    "asked, overrules the rules that may be overruled, never the others. Where no rule objects, a draft is "
    "voided and a posted invoice is credited in full with a credit note that names it; a posted invoice is "
    "never deleted.\n\nA decision carries the version of the rules: the edition, and a hash that changes "
    "with any rule, any parameter and any line of the code that decides.\n"
)
AUTOMATION = (
    "\nA city that lets the robot work alone settles first, with its lawyer, that it may. To credit an "
    "invoice is most often an act of private law and bookkeeping. Where it is a decision in a case about "
    "somebody, a municipality may delegate it to an automated function since 1 July 2022 (kommunallagen "
    "(2017:725) 6 kap. 37 and 38 §§; förvaltningslagen (2017:900) 28 §), and article 22 of the General Data "
    "Protection Regulation gives the person the right to have a human look at it. Every referral, and every "
    "answer, names a way to reach one.\n"
)


def decision_table(policy: Policy | None = None) -> list[str]:
    """The lines of the decision table (Markdown) under a policy; the packaged one unless another is given."""
    chosen = policy or load_policy()
    head = [f"| {' | '.join(HEAD)} |", "|" + "---|" * len(HEAD)]
    return head + [f"| {' | '.join(row(rule, chosen))} |" for rule in in_order()]


def row(rule: Rule, policy: Policy) -> tuple[str, ...]:
    """One rule's row."""
    objects = rule.action_under(policy) is not Action.CANCEL
    return (
        str(rule.order),
        f"`{rule.code}`",
        rule.when(),
        rule.action_under(policy).value if objects or rule.effect else "none: it is noted",
        rule.effect.value if rule.effect else "",
        "yes" if rule.overridable else "no" if objects else "",
        "; ".join(parameter(name, policy) for name in rule.parameters),
        rule.source,
    )


def parameter(name: str, policy: Policy) -> str:
    """A parameter with its value and date."""
    entry = policy.parameters[name]
    return f"`{name}` = {shown(entry.value)} ({entry.date})"


def shown(value: object) -> str:
    """A value as the parameter file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)


def documented() -> str:
    """The reference page of the decisions: the table, the texts in both languages, and the parameters."""
    parts = [
        "# Decisions about invoices\n",
        INTRODUCTION + AUTOMATION,
        f"Edition {EDITION}, with the packaged parameters; a city's own change the values shown.\n",
        "\n".join(decision_table()),
        "\n## What a person is told\n",
        *texts(),
        "\n## Parameters\n",
        "\n".join(parameter_table(load_policy())),
    ]
    return "\n".join(parts) + "\n"


class Shown(dict[str, str]):
    """Each fact by its name, in the place where a text has it."""

    def __missing__(self, key: str) -> str:
        return f"‹{key}›"


def texts() -> list[str]:
    """What each rule says, and what to look at, in both languages."""
    head = ["| code | language | says | look at |", "|---|---|---|---|"]
    rows = [
        f"| `{rule.code}` | {language} | {rule.says(language, Shown())} | {rule.look(language)} |"
        for rule in in_order()
        for language in LANGUAGES
    ]
    return head + rows


def parameter_table(policy: Policy) -> list[str]:
    """The parameters with unit, date, source and the rules that use them."""
    head = ["| parameter | value | unit | date | used by | source |", "|---|---|---|---|---|---|"]
    rows = []
    for name, entry in policy.parameters.entries.items():
        users = ", ".join(f"`{rule.code}`" for rule in in_order() if name in rule.parameters)
        rows.append(f"| `{name}` | {shown(entry.value)} | {entry.unit} | {entry.date} | {users} | {entry.source} |")
    return head + rows
