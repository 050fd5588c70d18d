from .arms import audited_traces, read_arm, sample_arm, sampling_cost
from .back_ends import BackEnd, back_end_of, request_fields
from .contamination import Overlap, find_overlaps
from .corpus import Pair, build_corpus
from .disk import is_full_disk
from .distill import StageIncompleteError, distill, endpoints_of
from .experiment import Experiment, load_experiment
from .experiment_estimate import SAMPLING_FLOPS, TRAINING_FLOPS, StageEstimate, estimate_experiment
from .failures import failure_summary
from .generating import Generator
from .grpo import reinforce
from .jury_eval import JuryEval, jury_metrics
from .jury_reward import jury_reward
from .notebook import claim
from .recipe import Recipe, RecipeError, Shape, Student, load_recipe
from .rewards import JuryReward, RewardControl
from .rows import write_lines
from .sample_spec import SampleSpec
from .sampling import sample_endpoint, sample_in_process
from .serving import Serving, serving
from .sft import train
from .sources import first_questions, read_pairs, read_questions
from .stage_progress import StageProgress
from .stepwise import stepwise_rows
from .teach import TeachSpec, expected_cost, teach
from .verdicts import TraceVerdicts, collect

__all__ = [
    "SAMPLING_FLOPS",
    "TRAINING_FLOPS",
    "BackEnd",
    "Experiment",
    "Generator",
    "JuryEval",
    "JuryReward",
    "Overlap",
    "Pair",
    "Recipe",
    "RecipeError",
    "RewardControl",
    "SampleSpec",
    "Serving",
    "Shape",
    "StageEstimate",
    "StageIncompleteError",
    "StageProgress",
    "Student",
    "TeachSpec",
    "TraceVerdicts",
    "audited_traces",
    "back_end_of",
    "build_corpus",
    "claim",
    "collect",
    "distill",
    "endpoints_of",
    "estimate_experiment",
    "expected_cost",
    "failure_summary",
    "find_overlaps",
    "first_questions",
    "is_full_disk",
    "jury_metrics",
    "jury_reward",
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
    "stepwise_rows",
    "teach",
    "train",
    "write_lines",
]
