"""What the check of evidence is worth: `python -m benchmarks.grounding`; each module measures one thing."""
