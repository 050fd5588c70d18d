"""Students: teacher traces, SFT corpus, training with Unsloth or TRL, sampling; and the recipe of the verifier.

The modules are scripts that are read from top to bottom.

User API: Experiment, Generator, JuryEval, JuryReward, Overlap, Pair, Recipe, RecipeError, SampleSpec, Serving, Shape,
StageIncompleteError, Student, TeachSpec, TraceVerdicts, build_corpus, collect, distill, expected_cost, find_overlaps,
jury_reward, load_experiment, load_recipe, read_pairs, read_questions, reinforce, sample_endpoint, sample_in_process,
serving, stepwise_rows, teach, train. It is documented in docs/api/training.md.

Friend API: every other name. The other folders use it, and it may change at any time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
