"""Finance systems: one port, and an adapter for each kind of system."""
