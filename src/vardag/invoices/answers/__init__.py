"""Answers: what was done, what a person will look at, or what is missing, in the language of the one who asked."""

from vardag.invoices.answers.address import answerable, message_id
from vardag.invoices.answers.composing import From, compose, step_of, template_for
from vardag.invoices.answers.templates import FIELDS, NAMES, Problem, check_templates

__all__ = [
    "FIELDS",
    "NAMES",
    "From",
    "Problem",
    "answerable",
    "check_templates",
    "compose",
    "message_id",
    "step_of",
    "template_for",
]
