"""The finance system as the desk asks it: one question at a time, in a thread of its own, and not for long."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong

from vardag.core.errors import VardagError
from vardag.invoices.ledger.port import Ledger
from vardag.invoices.model import ApplicationError, Invoice

LOG = logging.getLogger(__name__)
PATIENCE_S = 20.0


class Books:
    """Invoices as they stand now.

    A finance system that is worked at its web page takes every call from the same thread.

    Parameters
    ----------
    patience_s
        Longest wait for an answer, those who asked before included.
    """

    def __init__(self, ledger: Ledger, *, patience_s: float = PATIENCE_S) -> None:
        self._ledger, self._patience_s = ledger, patience_s
        self._waits: Future[tuple[Invoice, ...]] | None = None  # asked in vain, and not answered yet
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="finance system")

    def find(self, target: str) -> tuple[Invoice, ...]:
        """Invoices under a number or reference.

        Raises
        ------
        ApplicationError
            When there is no answer: an error of the finance system, or too long a wait.
        """
        if self._waits is not None and not self._waits.done():
            raise ApplicationError("it still has not answered what was asked before.")
        asked: Future[tuple[Invoice, ...]] = self._thread.submit(lambda: tuple(self._ledger.find(target)))
        try:
            return asked.result(timeout=self._patience_s)
        except TooLong:
            if not asked.cancel():  # it is this question that holds the thread
                self._waits = asked
            raise ApplicationError(f"no answer within {self._patience_s:g} s.") from None
        except VardagError as error:
            raise ApplicationError(str(error)) from None
        except Exception as error:
            LOG.exception("the finance system could not be asked")
            raise ApplicationError(type(error).__name__) from None

    def close(self) -> None:
        """Ask nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
