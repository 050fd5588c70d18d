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

__all__ = [
    "ErrorType",
    "Found",
    "GivenStep",
    "Named",
    "Problem",
    "Question",
    "Reader",
    "Record",
    "Role",
    "Segmentation",
    "Segmenter",
    "Step",
    "StepLabel",
    "Trace",
    "content_id",
]
