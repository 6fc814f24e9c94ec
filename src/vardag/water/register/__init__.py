"""The register over time: the difference of two deliveries of the pipe table, as frames.

::

    found = difference(before, after, last_seen={"mains": date(2023, 1, 31)}, after_date=date(2024, 1, 31), ...)
    refuse_shrinking(found, where="mains", folder="my-city", parameters=parameters)
    former = retired(found.left, first_missed=date(2024, 1, 31), taken=keys_in_use)

A pipe that is gone is retired, not deleted; an id that is used again for another pipe is two pipes. What makes a
row the same pipe is in `vardag.water.register.same`, what day a pipe was retired in `vardag.water.register.former`.
"""

from vardag.water.register.difference import Difference, difference
from vardag.water.register.fields import CHANGES
from vardag.water.register.former import retired, with_keys
from vardag.water.register.guard import allowed_to_leave, refuse_shrinking, shrinks_too_much
from vardag.water.register.summary import KINDS, moves, summary

__all__ = [
    "CHANGES",
    "KINDS",
    "Difference",
    "allowed_to_leave",
    "difference",
    "moves",
    "refuse_shrinking",
    "retired",
    "shrinks_too_much",
    "summary",
    "with_keys",
]
