"""Audit logs in memory with times of their own, as the robot, the desk and people would have written them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from vardag.invoices.audit import Entry

BEGAN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


@dataclass
class Log:
    """A log that is written entry by entry; the clock goes on when told to."""

    now: datetime = BEGAN
    entries: list[Entry] = field(default_factory=list)

    def later(self, minutes: float) -> "Log":
        self.now += timedelta(minutes=minutes)
        return self

    def robot(self, event: str, item: int, *, mode: str = "unattended", **body: Any) -> "Log":
        return self._add(event, item, actor="vardag", robot="robot", mode=mode, **body)

    def person(self, event: str, item: int, *, by: str = "anna", **body: Any) -> "Log":
        return self._add(event, item, actor=by, **body)

    def _add(self, event: str, item: int, **body: Any) -> "Log":
        self.entries.append(Entry(len(self.entries) + 1, self.now.isoformat(), item, event, body, "", ""))
        return self

    def cancelled(self, item: int, **more: Any) -> "Log":
        """Taken in, and voided or credited at once."""
        return self.robot("received", item).later(2).robot(
            "answered", item).robot("settled", item, state="done", code="ok", effect="credit", **more)  # fmt: skip

    def waits(self, item: int, **more: Any) -> "Log":
        """Taken in, and left to a person."""
        return self.robot("received", item).later(2).robot("settled", item, state="waiting", **more)

    def approved(self, item: int, *, minutes: float, by: str = "anna") -> "Log":
        """Opened by a person and confirmed so many minutes later; then the robot cancels."""
        self.person("opened", item, by=by).later(minutes).person("approved", item, by=by)
        return self.later(1).robot("settled", item, state="done", code="ok", effect="credit")

    def closed(self, item: int, *, minutes: float, by: str = "anna") -> "Log":
        """Opened by a person and ended by hand so many minutes later."""
        return self.person("opened", item, by=by).later(minutes).person("closed by hand", item, by=by, state="done")
