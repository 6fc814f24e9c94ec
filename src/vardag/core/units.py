"""SI inside: metres and millimetres. Only readers convert, and only with these factors.

Source: International Yard and Pound Agreement (1959): 1 inch = 25.4 mm exactly, 1 foot = 0.3048 m.
"""

from vardag.core.errors import ConfigError

TO_METRES = {"mm": 0.001, "cm": 0.01, "dm": 0.1, "m": 1.0, "km": 1000.0, "inch": 0.0254, "ft": 0.3048}


def factor(unit: str, *, to: str) -> float:
    """Number to multiply a value in `unit` with to get `to`.

    >>> factor("inch", to="mm")
    25.4

    Raises
    ------
    ConfigError
        When a unit is unknown; the message lists the known ones.
    """
    unknown = [name for name in (unit, to) if name not in TO_METRES]
    if unknown:
        raise ConfigError(f"unit {unknown[0]!r} is unknown, expected one of {', '.join(TO_METRES)}.")
    return round(TO_METRES[unit] / TO_METRES[to], 12)
