"""Servers that tests and benchmarks start: they speak real protocols on loopback."""
