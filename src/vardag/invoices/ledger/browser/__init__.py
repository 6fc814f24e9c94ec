"""A finance system without an interface for programs: its web page, used as a person uses it, in a real browser.

`chromium`, `hands` and `evidence` know no finance system. `words`, `tryton_page` and `tryton` are one that has a
web page; another gets its own three.
"""

from vardag.invoices.ledger.browser.evidence import Evidence, Shot
from vardag.invoices.ledger.browser.tryton import BrowserTryton

__all__ = ["BrowserTryton", "Evidence", "Shot"]
