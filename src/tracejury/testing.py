"""Tests for plug-ins: sample records, a fake way to a model, and the checks that `tracejury check PACKAGE` runs.

A package that adds a judge, a source, a reader, a segmenter, a scorer or a checker uses it in its own tests.

User API: FakeAsk, contract_faults, hostile_steps, sample_case, sample_question, sample_trace. It is documented in
docs/api/testing.md.
"""

from tracejury.console.plugin_checks import (
    FakeAsk,
    contract_faults,
    hostile_steps,
    sample_case,
    sample_question,
    sample_trace,
)

__all__ = ["FakeAsk", "contract_faults", "hostile_steps", "sample_case", "sample_question", "sample_trace"]
