from .answers import answer_correct, extract_answer
from .batches import Batch, write_batch
from .blinding import blind
from .containment import is_users_interrupt
from .contracts import Reader, ReadItem, Segmenter
from .coverage import TextCoverage, text_coverage
from .deidentifying import deidentify
from .formats.html import HtmlReader
from .formats.lines import TextLines
from .guarded import READING_LIMIT, Guarded
from .hedging import count_hedges
from .identifiers import Identifier, identifiers
from .json_lines import json_objects
from .languages import ENGLISH, language_of, other_language
from .plugins import OWN_PACKAGE, Contract, Plugin, PluginError, UnfitParamsError
from .reading import read, readers
from .records import (
    SAMPLED_ANSWERS,
    ErrorType,
    GivenStep,
    Named,
    Problem,
    Question,
    Record,
    Role,
    Segmentation,
    Severity,
    Step,
    StepLabel,
    Trace,
    content_id,
)
from .registry import Entry, Registry, UnknownNameError
from .roles import step_role
from .segmenting import segment, segmenter_rule, segmenters
from .spans import Span
from .splitting import split_sentences
from .tables.profile import TableField
from .tables.showing import proposed_reading, table_fields
from .tally import BatchSummary, FieldCount, ReadTally
from .time_limits import OverTimeError, OwnTime, plugin_time_limit_s

__all__ = [
    "ENGLISH",
    "OWN_PACKAGE",
    "READING_LIMIT",
    "SAMPLED_ANSWERS",
    "Batch",
    "BatchSummary",
    "Contract",
    "Entry",
    "ErrorType",
    "FieldCount",
    "GivenStep",
    "Guarded",
    "HtmlReader",
    "Identifier",
    "Named",
    "OverTimeError",
    "OwnTime",
    "Plugin",
    "PluginError",
    "Problem",
    "Question",
    "ReadItem",
    "ReadTally",
    "Reader",
    "Record",
    "Registry",
    "Role",
    "Segmentation",
    "Segmenter",
    "Severity",
    "Span",
    "Step",
    "StepLabel",
    "TableField",
    "TextCoverage",
    "TextLines",
    "Trace",
    "UnfitParamsError",
    "UnknownNameError",
    "answer_correct",
    "blind",
    "content_id",
    "count_hedges",
    "deidentify",
    "extract_answer",
    "identifiers",
    "is_users_interrupt",
    "json_objects",
    "language_of",
    "other_language",
    "plugin_time_limit_s",
    "proposed_reading",
    "read",
    "readers",
    "segment",
    "segmenter_rule",
    "segmenters",
    "split_sentences",
    "step_role",
    "table_fields",
    "text_coverage",
    "write_batch",
]
