"""Configuration files shipped with the package: panels, sources, students, experiments; found by name or by path."""
