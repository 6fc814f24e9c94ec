"""Servers that the tests start on this machine, on a free port, and end."""
