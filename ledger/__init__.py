"""The run ledger: its schema and migrations, writing and reading it, export rows, statistics a trace, expert reviews.

The unit of commit is the deliberation of a step.

User API: CitationRow, ClaimRow, DEFAULT_STORE, Ledger, OpinionRow, ResolverRow, Review, Reviews, Run,
RunDiffersError, RunManifest, SchemaError, StepRow, UnknownRunError, ledger_status, upgrade_ledger, write_rows. It is
documented in docs/api/ledger.md.

Friend API: every other name. The other folders use it, and it may change at any time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
