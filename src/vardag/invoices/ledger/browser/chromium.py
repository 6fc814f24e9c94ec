"""Chromium as the system has it, started at the first need and closed again; no browser is ever downloaded."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vardag.core.errors import NotFoundError
from vardag.invoices.model import ApplicationError

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
WIDE = {"width": 1400, "height": 1100}  # so that a form is seen whole


class Driver:
    """Playwright's own process: a thread can have but one, so those who need it share it."""

    def __init__(self) -> None:
        self._running: Playwright | None = None
        self._users = 0

    def take(self) -> "Playwright":
        """Playwright, started for the first who needs it."""
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra

        if self._running is None:
            self._running = sync_playwright().start()
        self._users += 1
        return self._running

    def give_back(self) -> None:
        """Stop it after the last."""
        self._users -= 1
        if self._running is not None and self._users == 0:
            running, self._running = self._running, None
            running.stop()


DRIVER = Driver()


class Chromium:
    """A browser with one window, which keeps its session from one page to the next.

    Parameters
    ----------
    executable
        The browser's program; None looks for Chromium on the path.
    locale
        Its language.
    """

    def __init__(self, executable: Path | None, locale: str) -> None:
        self.executable, self.locale = executable, locale
        self._ends: list[Callable[[], object]] = []
        self._context: BrowserContext | None = None

    def page(self, *, timeout_s: float) -> "Page":
        """A new page in place of the one before."""
        from playwright.sync_api import Error  # noqa: PLC0415 - an extra

        try:
            context = self._context or self._start(timeout_s)
            for old in context.pages:
                old.close()
            return context.new_page()
        except Error as error:
            self.close()
            raise ApplicationError(f"Chromium did not open a page ({type(error).__name__}).") from None

    def close(self) -> None:
        """Close the browser, also one that has died."""
        from playwright.sync_api import Error  # noqa: PLC0415

        self._context = None
        while self._ends:
            end = self._ends.pop()
            try:
                end()
            except Error:
                continue

    def _start(self, timeout_s: float) -> "BrowserContext":
        program = browser_program(self.executable)
        playwright = DRIVER.take()
        self._ends.append(DRIVER.give_back)
        root = (
            ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        )  # Chromium demands it of root
        browser = playwright.chromium.launch(
            executable_path=program, args=[*QUIET, *root], timeout=timeout_s * 1000, headless=True
        )
        self._ends.append(browser.close)
        self._context = browser.new_context(locale=self.locale, viewport=WIDE, accept_downloads=False)  # type: ignore[arg-type]
        return self._context


def browser_program(executable: Path | None) -> str:
    """The browser's program.

    Raises
    ------
    NotFoundError
        When Playwright or the browser is not installed.
    """
    try:
        import playwright.sync_api  # noqa: F401, PLC0415
    except ImportError:
        raise NotFoundError("Playwright is not installed. Install it with: pip install 'vardag[browser]'") from None
    found = str(executable) if executable else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None or not Path(found).exists():
        raise NotFoundError(
            f"no browser at {executable or ', '.join(NAMES)}. Install Chromium: apt-get install chromium"
        )
    return found
