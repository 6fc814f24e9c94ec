"""Hours saved and their worth: what people would have needed, less what they still need, from the audit log.

::

    history     each work item once, as the log tells it: outcome, when it was settled, failures, objections
    sittings    minutes of people at the desk, from opening an item to deciding it
    timings     the stopwatch: minutes of people before the robot, in timings.csv
    estimates   a mean with its interval where enough was measured, else an assumption that is marked as one
    account     hours by outcome and month, with what counts against them
    worth       money, wrong decisions, answer times, and where the freed time went
    limits      what the account does not know, in words
    export      for the budget: a table
    sheets, page, bars    for people: tables in words, one HTML file, its picture

Items that were completed count, each once, in the month it was last settled; an item that waits has saved nothing
yet, and what was done in shadow counts not. Failures, objections and looks are counted against.
"""

from vardag.invoices.hours.account import Account, Against, Line, Span, account
from vardag.invoices.hours.evidence import MINUTES, Evidence, evidence, minutes
from vardag.invoices.hours.history import OUTCOMES, Handled, histories
from vardag.invoices.hours.limits import TEXTS, limits

__all__ = [
    "MINUTES", "OUTCOMES", "TEXTS", "Account", "Against", "Evidence", "Handled", "Line", "Span", "account",
    "evidence", "histories", "limits", "minutes",
]  # fmt: skip
