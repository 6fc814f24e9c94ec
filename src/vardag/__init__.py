"""Vardag: predicts a city's water leaks from its own data, without digging."""

__version__ = "0.1.0"
