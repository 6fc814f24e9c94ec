"""The commands of `vardag water`, one module each, read top to bottom on one screen."""
