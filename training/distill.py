"""Run a whole experiment: teach -> corpus -> train -> sample base and student -> adjudicate both.

    OUT/teach/    OUT/base/     OUT/corpus/    OUT/student/    OUT/sampled/base/    OUT/sampled/student/    OUT/audit/
    OUT/manifest.json: the stages and the two runs that `tracejury compare` takes

Each stage writes a manifest. A stage whose manifest names the same inputs is skipped, so that the same command, given
again, continues where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tracejury.agents import load_panel
from tracejury.graphs import adjudicate
from tracejury.models import CallStore, Embedder, Endpoint, Gateway
from tracejury.storage import hide_password
from tracejury.traces import Question
from tracejury.training.arms import audited_traces, sample_arm
from tracejury.training.corpus import build_corpus
from tracejury.training.experiment import Experiment, SampledFrom
from tracejury.training.machine import commit
from tracejury.training.recipe import Recipe, load_recipe
from tracejury.training.rows import write_json
from tracejury.training.sampling import sample_in_process
from tracejury.training.sft import train
from tracejury.training.sources import place, read_pairs, read_questions
from tracejury.training.teach import teach

StageReport = Callable[[str, dict[str, Any]], None]
"""Receives a stage's name and its manifest when the stage is done."""


class StageIncompleteError(RuntimeError):
    """Some calls of a stage failed; the same command asks for them again."""


async def distill(
    experiment: Experiment,
    beside: Path,
    out: Path,
    *,
    store: str | None = None,
    index: Path | None = None,
    backend: str | None = None,
    embedder: Embedder | None = None,
    report_stage: StageReport | None = None,
) -> dict[str, Any]:
    """Run the experiment, or its remaining stages; return its manifest.

    Args:
        experiment: The experiment.
        beside: The folder that the experiment's paths are relative to.
        out: The folder that everything is written to.
        store: The ledger's URL; None: OUT/tracejury.db.
        index: The Chroma index of the panel's references.
        backend: The training back end; None: the one that the recipes name.
        embedder: Embeds the stems for the contamination check by meaning.
        report_stage: Called when a stage is done.

    Raises:
        RecipeError: A recipe, a path or a panel is not usable.
        StageIncompleteError: Calls of a stage failed; no later stage was begun.
    """
    url = store or f"sqlite:///{out / 'tracejury.db'}"
    recipe = load_recipe(_named(experiment.recipe, beside))
    evaluation = _questions(experiment.evaluation, beside)
    stages: dict[str, dict[str, Any]] = {}

    def finish_stage(stage: str, manifest: dict[str, Any]) -> dict[str, Any]:
        if manifest.get("status") == "incomplete":
            raise StageIncompleteError(f"{stage}: {manifest}. Give the same command again to ask for what failed.")
        stages[stage] = manifest
        if report_stage:
            report_stage(stage, manifest)
        return manifest

    chains = await _teach(experiment, beside, out, url, finish_stage)
    base_weights: str | None = None
    if experiment.base:
        base_weights = _pretrain(experiment, beside, out, backend, finish_stage)
    corpus = out / "corpus"
    if not (corpus / "manifest.json").is_file():
        build_corpus(
            read_pairs(*chains),
            recipe,
            corpus,
            tokenizer_from=base_weights,
            evaluation=evaluation,
            on_contamination=experiment.on_contamination,
            embedder=embedder,
            made_from=[str(p) for p in chains[0]],
        )
    finish_stage("corpus", _manifest(corpus))
    finish_stage("train", train(recipe, corpus, out / "student", backend=backend, weights=base_weights))
    before = base_weights or _base_of(recipe, corpus)
    arms = (
        ("base", before, experiment.base_endpoint),
        ("student", _student_weights(out / "student"), experiment.student_endpoint),
    )
    audited: list[Path] = []
    for arm, weights, endpoint in arms:
        folder = out / "sampled" / arm
        finish_stage(
            f"sample {arm}", await _sample(experiment, recipe, evaluation, weights, endpoint, folder, arm, url)
        )
        audited.append(audited_traces(folder, experiment.audited_sample))
    runs = {}
    panel = load_panel(_named(experiment.panel, beside))
    for (arm, _, _), folder in zip(arms, audited, strict=True):
        run, tally = await adjudicate(
            folder, panel, store=url, name=f"{experiment.name}-{arm}", index=index, air_gapped=False
        )
        runs[arm] = run.name
        finish_stage(f"adjudicate {arm}", {"run": run.name, "tally": str(tally)})
    manifest = {
        "experiment": experiment.model_dump(mode="json"),
        "stages": list(stages),
        "runs": runs,
        "store": hide_password(url),
        "compare": f"tracejury compare {runs['base']} {runs['student']} --store {hide_password(url)}",
        "commit": commit(),
    }
    write_json(out / "manifest.json", manifest)
    return manifest


async def _teach(
    experiment: Experiment, beside: Path, out: Path, url: str, finish_stage: Callable[[str, dict[str, Any]], Any]
) -> tuple[list[Path], str]:
    """Return the paths of the teacher's chains, and the name of their reader."""
    teacher = experiment.teacher
    if teacher.chains is not None:
        return [place(teacher.chains.path, beside)], teacher.chains.reader
    assert teacher.endpoint is not None and teacher.questions is not None  # noqa: S101, PT018 - the record checks it
    questions = _questions(teacher.questions, beside)
    store = CallStore(url)
    try:
        async with Gateway(store, secret=experiment.name.encode()) as gateway:
            finish_stage("teach", await teach(questions, teacher.endpoint, gateway, out / "teach", spec=teacher.teach))
    finally:
        store.close()
    return [out / "teach"], "native"


def _pretrain(
    experiment: Experiment,
    beside: Path,
    out: Path,
    backend: str | None,
    finish_stage: Callable[[str, dict[str, Any]], Any],
) -> str:
    """Train the base on its own chains; return the folder of its weights."""
    assert experiment.base is not None  # noqa: S101 - the caller looked
    recipe = load_recipe(_named(experiment.base.recipe, beside))
    source = experiment.base.chains
    corpus = out / "base" / "corpus"
    if not (corpus / "manifest.json").is_file():
        pairs = read_pairs([place(source.path, beside)], source.reader, arm=source.arm, **source.params)
        build_corpus(pairs, recipe, corpus, made_from=[source.path])
    finish_stage("base", train(recipe, corpus, out / "base" / "trained", backend=backend))
    return _student_weights(out / "base" / "trained")


async def _sample(
    experiment: Experiment,
    recipe: Recipe,
    questions: Sequence[Question],
    weights: str,
    endpoint: Endpoint | None,
    folder: Path,
    arm: str,
    url: str,
) -> dict[str, Any]:
    if endpoint is None:
        return sample_in_process(
            questions, weights, recipe.student, folder, model=f"{recipe.name}-{arm}", arm=arm, spec=experiment.sample
        )
    return await sample_arm(
        questions,
        endpoint,
        folder,
        arm=arm,
        student=recipe.student,
        spec=experiment.sample,
        back_end=experiment.served_by,
        store=url,
    )


def _questions(source: SampledFrom, beside: Path) -> list[Question]:
    return read_questions([place(source.path, beside)], source.reader, limit=source.limit, **source.params)


def _named(name: str, beside: Path) -> str | Path:
    """Return a recipe's or panel's name unchanged, and a file's path relative to the experiment."""
    return beside / name if name.endswith((".yaml", ".yml")) else name


def _student_weights(folder: Path) -> str:
    """Return the folder of a trained student's weights; whole weights are preferred to an adapter."""
    return str(next(folder / part for part in ("merged", "model", "adapter") if (folder / part).is_dir()))


def _base_of(recipe: Recipe, corpus: Path) -> str:
    folder = corpus / "student"
    return str(folder) if folder.is_dir() else recipe.student.model


def _manifest(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return loaded
