"""Validation: rolling origins, breaks caught by length, calibration, and the scorecard of locked predictions."""
