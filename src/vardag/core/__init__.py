"""Shared ground of both domains: errors, settings, database, runs. Knows nothing of pipes or invoices."""
