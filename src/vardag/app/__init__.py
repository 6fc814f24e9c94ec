"""The only place that chooses adapters: the command line."""
