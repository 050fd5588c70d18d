from .arms import audited_traces, read_arm, sample_arm, sampling_cost
from .back_ends import BackEnd, back_end_of, request_fields
from .contamination import Overlap, find_overlaps
from .corpus import Pair, build_corpus
from .distill import StageIncompleteError, distill
from .experiment import Experiment, load_experiment
from .generating import Generator
from .grpo import reinforce
from .notebook import claim
from .recipe import Recipe, RecipeError, Shape, Student, load_recipe
from .rewards import JuryReward
from .sampling import SampleSpec, sample_endpoint, sample_in_process
from .serving import Serving, serving
from .sft import train
from .sources import first_questions, read_pairs, read_questions
from .teach import TeachSpec, expected_cost, teach
from .verdicts import TraceVerdicts, collect

__all__ = [
    "BackEnd",
    "Experiment",
    "Generator",
    "JuryReward",
    "Overlap",
    "Pair",
    "Recipe",
    "RecipeError",
    "SampleSpec",
    "Serving",
    "Shape",
    "StageIncompleteError",
    "Student",
    "TeachSpec",
    "TraceVerdicts",
    "audited_traces",
    "back_end_of",
    "build_corpus",
    "claim",
    "collect",
    "distill",
    "expected_cost",
    "find_overlaps",
    "first_questions",
    "load_experiment",
    "load_recipe",
    "read_arm",
    "read_pairs",
    "read_questions",
    "reinforce",
    "request_fields",
    "sample_arm",
    "sample_endpoint",
    "sample_in_process",
    "sampling_cost",
    "serving",
    "teach",
    "train",
]
