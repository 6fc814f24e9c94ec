"""The quality report: fill, checks and the effect of doubtful rows, as one page."""
