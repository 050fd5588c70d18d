from .rows import CitationRow, OpinionRow, ResolverRow, StepRow

__all__ = ["CitationRow", "OpinionRow", "ResolverRow", "StepRow"]
