"""How often people came to the robot's decision, and how sure that share is."""

from dataclasses import dataclass

from scipy.special import betaincinv

from vardag.invoices.ladder.demands import Demand


@dataclass(frozen=True)
class Agreement:
    """So many of so many judged decisions, with the interval of the share.

    Attributes
    ----------
    lower, upper
        Bounds of the two-sided Clopper-Pearson interval; 0 and 1 where nothing is judged.
    """

    agreed: int
    volume: int
    lower: float
    upper: float

    @property
    def disagreed(self) -> int:
        """Decisions that a person did not come to."""
        return self.volume - self.agreed

    def meets(self, demand: Demand) -> bool:
        """Whether it is enough of both: volume, and agreement at the interval's lower bound."""
        return self.volume >= demand.volume and self.lower >= demand.agreement


def agreement(agreed: int, volume: int, *, confidence: float) -> Agreement:
    """The share with its interval (Clopper & Pearson 1934, https://doi.org/10.1093/biomet/26.4.404).

    It holds its level for every true share and every volume, so it errs on the side of a wider interval. It
    takes the judgements as independent and their number as settled beforehand.

    >>> found = agreement(99, 100, confidence=0.95)
    >>> round(found.lower, 3), round(found.upper, 4)
    (0.946, 0.9997)
    """
    out, wrong = (1 - confidence) / 2, volume - agreed
    lower = float(betaincinv(agreed, wrong + 1, out)) if agreed else 0.0
    upper = float(betaincinv(agreed + 1, wrong, 1 - out)) if wrong else 1.0
    return Agreement(agreed, volume, lower, upper)


def still_needed(found: Agreement, demand: Demand, *, confidence: float) -> int:
    """How many more judgements, every one of them agreeing, would be enough; 0 when it is enough now.

    >>> still_needed(agreement(99, 100, confidence=0.95), Demand(100, 0.95, ""), confidence=0.95)
    10
    """

    def enough(more: int) -> bool:
        return agreement(found.agreed + more, found.volume + more, confidence=confidence).meets(demand)

    if enough(0):
        return 0
    most = 1
    while not enough(most):
        most *= 2
    least = most // 2  # not enough
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if enough(middle) else (middle, most)
    return most
