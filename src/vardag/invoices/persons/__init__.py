"""The desk's people: who they are, how they prove it, their sessions, and what happens after wrong passwords."""

from functools import cache
from pathlib import Path

from vardag.core.parameters import Parameters, load
from vardag.invoices.persons.passwords import fits, hashed
from vardag.invoices.persons.register import Person, Role

__all__ = ["PARAMETERS", "Person", "Role", "fits", "hashed", "parameters"]

PARAMETERS = Path(__file__).with_name("parameters.yaml")


@cache
def parameters() -> Parameters:
    """The desk's policy numbers: how long a session lives, how many wrong passwords are let pass."""
    return load(PARAMETERS)
