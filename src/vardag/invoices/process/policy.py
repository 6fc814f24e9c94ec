"""The numbers that say when a count is too small to say anything; see ``parameters.yaml``."""

from pathlib import Path

from vardag.core.parameters import Parameters, load

PARAMETERS = Path(__file__).with_name("parameters.yaml")


def load_parameters() -> Parameters:
    """The packaged numbers."""
    return load(PARAMETERS)
