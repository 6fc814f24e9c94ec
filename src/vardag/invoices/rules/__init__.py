"""The rules: pure decisions with reason codes, a source for every rule, and a version."""

from vardag.invoices.rules.case import Allowed, Case, Earlier, Grant, entitled, person, read_allowed, same_person
from vardag.invoices.rules.catalogue import CATALOGUE, Rule, acting, in_order
from vardag.invoices.rules.deciding import EDITION, Explained, decide, explain, version
from vardag.invoices.rules.declared import declared
from vardag.invoices.rules.policy import Policy, load_policy
from vardag.invoices.rules.table import decision_table, documented

__all__ = [
    "CATALOGUE",
    "EDITION",
    "Allowed",
    "Case",
    "Earlier",
    "Explained",
    "Grant",
    "Policy",
    "Rule",
    "acting",
    "decide",
    "decision_table",
    "declared",
    "documented",
    "entitled",
    "explain",
    "in_order",
    "load_policy",
    "person",
    "read_allowed",
    "same_person",
    "version",
]
