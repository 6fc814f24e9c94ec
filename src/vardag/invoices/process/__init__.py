"""The routine as it is really done, found in an event log.

A reader turns a file into a raw frame of text, `log.tidy` makes an event log of it in which nothing is lost,
`discovery` counts, and `page` shows it. No person is ranked, or named, anywhere.
"""

from vardag.invoices.process.discovery import Found, discover
from vardag.invoices.process.log import RAW, EventLog, tidy
from vardag.invoices.process.page import limits, page
from vardag.invoices.process.policy import load_parameters
from vardag.invoices.process.reading import Source, read_groups, read_source, with_groups

__all__ = [
    "RAW",
    "EventLog",
    "Found",
    "Source",
    "discover",
    "limits",
    "load_parameters",
    "page",
    "read_groups",
    "read_source",
    "tidy",
    "with_groups",
]
