"""A finance system for the demo and the tests: Tryton on loopback, with a synthetic town's books."""
