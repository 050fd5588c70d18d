from . import sources
from .announcing import announcement
from .bounds import other_figure
from .build import EmptySourceError
from .chunks import chunk
from .denials import content_stems, denials, denied_by, denies
from .embedders import open_embedder
from .finder import Finder
from .framed import framed_by
from .index import DEFAULT_PATH, Index
from .index_storage import BrokenIndexError, IndexLockedError, indexes
from .listing import ListedSource, list_sources
from .manifest import BuildReport, IndexManifest, SourceChange, SourceEntry, diff
from .queries import claim_queries, step_query
from .quotes import QuoteCheck, check_quote
from .recipes import SourceRecipe, load_recipe
from .records import ClaimQuery, Document, Finding, Hit, Passage, Query, Source, Trust, Withheld
from .reference_sets import PlannedSource, Readiness, ReferenceSet, fetch_corpus, load_reference_set, plan
from .relevance import Scorer, relevance, scorers
from .rerank import Reranker, open_reranker
from .sources.web import ServiceError
from .statements import Statement, read_statement
from .trust import source_trust
from .verify import IndexFault

__all__ = [
    "DEFAULT_PATH",
    "BrokenIndexError",
    "BuildReport",
    "ClaimQuery",
    "Document",
    "EmptySourceError",
    "Finder",
    "Finding",
    "Hit",
    "Index",
    "IndexFault",
    "IndexLockedError",
    "IndexManifest",
    "ListedSource",
    "Passage",
    "PlannedSource",
    "Query",
    "QuoteCheck",
    "Readiness",
    "ReferenceSet",
    "Reranker",
    "Scorer",
    "ServiceError",
    "Source",
    "SourceChange",
    "SourceEntry",
    "SourceRecipe",
    "Statement",
    "Trust",
    "Withheld",
    "announcement",
    "check_quote",
    "chunk",
    "claim_queries",
    "content_stems",
    "denials",
    "denied_by",
    "denies",
    "diff",
    "fetch_corpus",
    "framed_by",
    "indexes",
    "list_sources",
    "load_recipe",
    "load_reference_set",
    "open_embedder",
    "open_reranker",
    "other_figure",
    "plan",
    "read_statement",
    "relevance",
    "scorers",
    "source_trust",
    "sources",
    "step_query",
]
