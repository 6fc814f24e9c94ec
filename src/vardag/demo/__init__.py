"""A synthetic Swedish town: the files a municipality would hand over, and the truth behind them."""

from vardag.demo.town import Town, town

__all__ = ["Town", "town"]
