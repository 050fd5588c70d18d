from .build import EmptySourceError
from .chunks import chunk
from .finder import Finder
from .index import Index
from .manifest import BuildReport, Manifest, SourceChange, SourceEntry, diff
from .queries import step_query
from .quotes import QuoteCheck, check_quote
from .records import Document, Finding, Hit, Passage, Query, Source, Withheld
from .registered import sources
from .shelf import BrokenIndexError, IndexLockedError
from .sentences import sentence_spans

__all__ = [
    "BrokenIndexError",
    "BuildReport",
    "Document",
    "EmptySourceError",
    "Finder",
    "Finding",
    "Hit",
    "Index",
    "IndexLockedError",
    "Manifest",
    "Passage",
    "Query",
    "QuoteCheck",
    "Source",
    "SourceChange",
    "SourceEntry",
    "Withheld",
    "check_quote",
    "chunk",
    "diff",
    "sources",
    "step_query",
    "sentence_spans",
]
