from .agents import Draft, Judge, Label, Panel, Quote, load_panel
from .graphs import adjudicate, build_graph
from .ledger import Ledger, StepRow
from .retrieval import Document, Index, Passage, Source
from .traces import Batch, Question, Trace, read

__version__: str

__all__ = [
    "Batch",
    "Document",
    "Draft",
    "Index",
    "Judge",
    "Label",
    "Ledger",
    "Panel",
    "Passage",
    "Question",
    "Quote",
    "Source",
    "StepRow",
    "Trace",
    "adjudicate",
    "build_graph",
    "load_panel",
    "read",
]
