"""Configuration files shipped with the package (panels, sources, students, experiments, controls) and their loader."""
