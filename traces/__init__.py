"""Questions, traces and steps: records, readers, answer extraction, segmentation, roles, style-blinding, hedging.

The ground floor: it knows nothing of models or judges.

User API: Batch, ErrorType, GivenStep, Problem, Question, Reader, Role, Segmentation, Segmenter, Step, Trace,
answer_correct, blind, count_hedges, deidentify, extract_answer, read, readers, segment, segmenters, split_sentences,
step_role, write_batch. It is documented in docs/api/traces.md.

Friend API: every other name. The other folders use it, and it may change at any time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
