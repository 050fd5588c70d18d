"""Measurements: each a script of its own, results with command and commit in `benchmarks/results/`."""
