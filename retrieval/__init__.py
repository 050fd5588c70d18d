"""Knowledge sources, chunking, the Chroma index, search, quote checks.

What a judge may cite comes from here.

User API: BrokenIndexError, BuildReport, Document, EmptySourceError, Finder, Finding, Hit, Index, IndexLockedError,
IndexManifest, Passage, Query, QuoteCheck, Scorer, Source, Withheld, check_quote, chunk, list_sources, open_embedder,
relevance, scorers. It is documented in docs/api/retrieval.md.

Friend API: every other name. The other folders use it, and it may change at any time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
