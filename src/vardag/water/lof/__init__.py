"""Likelihood of failure: from a panel of pipe-years to expected breaks per km and year."""
