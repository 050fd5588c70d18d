from .contracts import Found, Reader, Segmenter
from .records import (
    ErrorType,
    GivenStep,
    Named,
    Problem,
    Question,
    Record,
    Role,
    Segmentation,
    Step,
    StepLabel,
    Trace,
    content_id,
)
from .registry import Entry, Registry, UnknownNameError

__all__ = [
    "Entry",
    "ErrorType",
    "Found",
    "GivenStep",
    "Named",
    "Problem",
    "Question",
    "Reader",
    "Record",
    "Registry",
    "Role",
    "Segmentation",
    "Segmenter",
    "Step",
    "StepLabel",
    "Trace",
    "UnknownNameError",
    "content_id",
]
