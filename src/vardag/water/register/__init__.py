"""The register over time: what each delivery changed, and the pipes it no longer has."""
