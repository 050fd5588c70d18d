"""`tracejury student train` and `tracejury student reinforce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracejury.console.failing import explained
from tracejury.console.options import IndexPath, Store
from tracejury.console.stages import Backend, Out, Reader, Recipe, calls_store, moving_bar, print_manifest


def train(
    recipe: Recipe,
    corpus: Annotated[Path, typer.Option(help="Train on this folder, which `tracejury student corpus` wrote.")] = Path(
        "corpus"
    ),
    out: Out = Path("student"),
    backend: Backend = None,
    weights: Annotated[str | None, typer.Option(help="Start from these weights instead of the recipe's.")] = None,
    jury: Annotated[
        str | None, typer.Option(help="Let this panel judge chains of held-out questions at every evaluation.")
    ] = None,
    jury_questions: Annotated[
        list[Path] | None, typer.Option(help="Take the jury's held-out questions from these files. Repeatable.")
    ] = None,
    jury_n: Annotated[int, typer.Option(min=1, help="Sample chains of this many of them.")] = 20,
    reader: Reader = "native",
    index: IndexPath = None,
) -> None:
    """Train a student with Unsloth on a GPU, or with plain TRL anywhere, from one recipe.

    If the command is killed, the same command resumes from the last whole checkpoint with the same loss curve. With
    --jury the evaluations have eval_step_error and eval_abstained with intervals, and their runs are in OUT/jury.

    Example: tracejury student train smollm2-135m --corpus corpus/ --out student/
    """
    with explained():
        from tracejury.agents import load_panel
        from tracejury.training import JuryEval, load_recipe, read_questions
        from tracejury.training import train as run

        loaded_recipe = load_recipe(recipe)
        jury_eval = None
        if jury is not None:
            if not jury_questions:
                raise ValueError("--jury needs held-out questions: add --jury-questions FILE")
            question_set = read_questions(jury_questions, reader, limit=jury_n)
            jury_eval = JuryEval(
                load_panel(jury), question_set, out / "jury", student=loaded_recipe.student, index=index
            )
        with moving_bar("steps", out) as move:
            manifest = run(
                loaded_recipe,
                corpus,
                out,
                backend=backend,
                weights=weights,
                jury=jury_eval,
                report=lambda step, total, metrics: (
                    move(step, total, f"loss {metrics['loss']:.4f}") if "loss" in metrics else None
                ),
            )
    print_manifest(
        manifest, ("backend", "steps", "resumed_at", "loss", "eval_loss", "tokens_per_s", "too_long", "jury", "outputs")
    )


def reinforce(
    recipe: Recipe,
    questions: Annotated[list[Path], typer.Argument(help="Read questions with gold answers from these files.")],
    weights: Annotated[str, typer.Option(help="Start from this folder of whole weights.")],
    panel: Annotated[str, typer.Option(help="Reward by this panel; panels without an LLM are fast enough.")],
    out: Out = Path("reinforced"),
    reader: Reader = "native",
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many questions.")] = None,
    backend: Backend = None,
    seed: Annotated[int | None, typer.Option(help="Set the seed instead of the recipe's.")] = None,
    control: Annotated[
        str,
        typer.Option(help="Reward by a control: answer-only, shuffled-steps, shuffled-both or none (the jury)."),
    ] = "none",
    store: Store = None,
    index: IndexPath = None,
) -> None:
    """Train a student with the jury's verdicts as reward (GRPO): right answers and supported steps.

    Steps whose judgement failed are masked, never rewarded. If the command is killed, the same command resumes from the
    last whole checkpoint.

    Example: tracejury student reinforce tiny questions.jsonl --weights student/merged --panel panel.yaml
    """
    with explained():
        from tracejury.agents import load_panel
        from tracejury.training import JuryReward, RewardControl, load_recipe, read_questions
        from tracejury.training import reinforce as run

        if control not in {each.value for each in RewardControl}:
            raise ValueError(f"--control {control}: it is {', '.join(each.value for each in RewardControl)}")
        loaded_recipe = load_recipe(recipe)
        if loaded_recipe.grpo is None:
            raise ValueError(f"{loaded_recipe.name}: the recipe has no `grpo` section; see configs/students/tiny.yaml")
        question_set = read_questions(questions, reader, limit=limit)
        by_id = {q.id: q for q in question_set}
        with (
            JuryReward(
                load_panel(panel),
                by_id,
                store=calls_store(store, out),
                index=index,
                answer_weight=loaded_recipe.grpo.answer_weight,
                steps_weight=loaded_recipe.grpo.steps_weight,
                control=RewardControl(control),
                control_seed=loaded_recipe.schedule.seed if seed is None else seed,
            ) as reward,
            moving_bar("steps", out) as move,
        ):
            manifest = run(
                loaded_recipe,
                weights,
                question_set,
                reward,
                out,
                backend=backend,
                seed=seed,
                report=lambda step, total, metrics: move(
                    step, total, f"reward {metrics.get('reward', float('nan')):.3f}"
                ),
            )
    print_manifest(manifest, ("backend", "steps", "resumed_at", "questions", "outputs", "seconds"))
