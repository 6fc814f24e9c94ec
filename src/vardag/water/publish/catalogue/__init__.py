"""The catalogue of sources: for the city itself as a page, and as DCAT-AP-SE for what may be public."""

from vardag.water.publish.catalogue.dcat import Described, dcat, validated, write_dcat
from vardag.water.publish.catalogue.entries import Entry, entries
from vardag.water.publish.catalogue.page import TEXTS, page, rows

__all__ = ["TEXTS", "Described", "Entry", "dcat", "entries", "page", "rows", "validated", "write_dcat"]
