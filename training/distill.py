"""Run a whole experiment: teach -> corpus -> train -> sample base and student -> adjudicate both.

    OUT/teach/    OUT/base/     OUT/corpus/    OUT/student/    OUT/sampled/base/    OUT/sampled/student/
    OUT/stale/    what was made from inputs that have changed since
    OUT/manifest.json: the stages and the two runs that `tracejury compare` takes

Each stage claims its folder for its inputs. The same command, given again, skips the stages whose inputs are the same;
where an input has changed, a stage's folder is set aside and made anew, and so is all that depends on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracejury.agents import load_panel
from tracejury.graphs import RunTally, adjudicate
from tracejury.models import CallStore, Embedder, Endpoint, Gateway
from tracejury.storage import hide_password
from tracejury.traces import Question
from tracejury.training.arms import audited_traces, sample_arm
from tracejury.training.backends import choose_backend
from tracejury.training.corpus import Pair, build_corpus
from tracejury.training.experiment import Experiment, SampledFrom
from tracejury.training.failures import failure_summary
from tracejury.training.machine import commit
from tracejury.training.notebook import StageChangedError, set_aside
from tracejury.training.recipe import Recipe, load_recipe
from tracejury.training.rows import hash_files, write_json
from tracejury.training.sampling import sample_in_process
from tracejury.training.sft import train
from tracejury.training.sources import place, read_pairs, read_questions
from tracejury.training.stage_progress import StageProgress
from tracejury.training.teach import teach

StageReport = Callable[[str, int, int, dict[str, Any]], None]
"""Receives a stage's name, its number, the number of stages, and its manifest when the stage is done."""

Manifest = dict[str, Any]


class StageIncompleteError(RuntimeError):
    """Some calls of a stage failed; the same command asks for them again."""


@dataclass
class Stages:
    """The stages of an experiment, in their order."""

    names: tuple[str, ...]
    report_stage: StageReport | None = None
    report_line: Callable[[str], None] = lambda line: None
    progress: StageProgress = field(default_factory=StageProgress)
    finished: list[str] = field(default_factory=list)

    async def run(self, name: str, work: Callable[[], Awaitable[Manifest]]) -> Manifest:
        """Run a stage, or find it finished; where its inputs have changed, set its folder aside and run it anew.

        Raises:
            StageIncompleteError: Calls of the stage failed.
        """
        self.progress.begin(name, len(self.finished) + 1, len(self.names))
        try:
            manifest = await work()
        except StageChangedError as stage:
            stale = set_aside(stage.folder)
            self.report_line(f"{name}: different {' and '.join(stage.changed)}; the earlier one is in {stale}")
            manifest = await work()
        if manifest.get("status") == "incomplete":
            raise StageIncompleteError(
                f"{name}: calls failed: {failure_summary(manifest)}. The same command asks for them again."
            )
        self.finished.append(name)
        if self.report_stage:
            self.report_stage(name, len(self.finished), len(self.names), manifest)
        return manifest


def stage_names(experiment: Experiment) -> tuple[str, ...]:
    """Return the names of an experiment's stages, in their order."""
    return (
        *(("teach",) if experiment.teacher.endpoint else ()),
        *(("base corpus", "base") if experiment.base else ()),
        *("corpus", "train", "sample base", "sample student", "adjudicate base", "adjudicate student"),
    )


async def distill(
    experiment: Experiment,
    beside: Path,
    out: Path,
    *,
    store: str | None = None,
    index: Path | None = None,
    backend: str | None = None,
    embedder: Embedder | None = None,
    air_gapped: bool = False,
    report_stage: StageReport | None = None,
    report_line: Callable[[str], None] = lambda line: None,
    progress: StageProgress | None = None,
) -> Manifest:
    """Run the experiment, or its remaining stages; return its manifest.

    Args:
        experiment: The experiment.
        beside: The folder that the experiment's paths are relative to.
        out: The folder that everything is written to.
        store: The ledger's URL; None: OUT/tracejury.db.
        index: The Chroma index of the panel's references.
        backend: The training back end; None: the one that the recipes name.
        embedder: Embeds the stems for the contamination check by meaning; None: it is by n-grams alone.
        air_gapped: Refuse every address but loopback.
        report_stage: Called when a stage is done.
        report_line: Takes a line for the user, such as which stage is made anew.
        progress: Says at any time which stage is at work and how far it has come.

    Raises:
        RecipeError: A recipe, a path or a panel is not usable.
        StageIncompleteError: Calls of a stage failed; no later stage was begun.
    """
    url = store or f"sqlite:///{out / 'tracejury.db'}"
    recipe = load_recipe(named(experiment.recipe, beside))
    # What only a late stage needs is read now: hours of training must not end at a misspelt name.
    panel = load_panel(named(experiment.panel, beside))
    for part in (recipe, *((load_recipe(named(experiment.base.recipe, beside)),) if experiment.base else ())):
        choose_backend(backend or part.backend)
    evaluation = questions_of([experiment.evaluation], beside)
    progress = progress or StageProgress()
    stages = Stages(stage_names(experiment), report_stage, report_line, progress)
    pairs = await _teach(experiment, beside, out, url, stages, air_gapped=air_gapped)
    base_weights = await _pretrain(experiment, beside, out, backend, stages)

    async def corpus_stage() -> Manifest:
        return build_corpus(
            pairs,
            recipe,
            out / "corpus",
            tokenizer_from=base_weights,
            evaluation=evaluation,
            on_contamination=experiment.on_contamination,
            embedder=embedder,
            made_from=[source.path for source in experiment.teacher.chains or experiment.teacher.questions],
            progress=progress.update,
        )

    async def train_stage() -> Manifest:
        return train(
            recipe,
            out / "corpus",
            out / "student",
            backend=backend,
            weights=base_weights,
            report=progress.training_step,
        )

    await stages.run("corpus", corpus_stage)
    await stages.run("train", train_stage)
    before = base_weights or _base_of(recipe, out / "corpus")
    arms = (
        ("base", before, experiment.base_endpoint),
        ("student", _student_weights(out / "student"), experiment.student_endpoint),
    )
    for arm, weights, endpoint in arms:
        await stages.run(
            f"sample {arm}",
            lambda arm=arm, weights=weights, endpoint=endpoint: _sample(  # type: ignore[misc]
                experiment, recipe, evaluation, weights, endpoint, out / "sampled" / arm, arm, url, air_gapped, progress
            ),
        )
    runs = {}
    for arm, _, _ in arms:
        folder = audited_traces(out / "sampled" / arm, experiment.audited_sample)
        # A run is about its inputs: other traces are another run.
        name = f"{experiment.name}-{arm}-{hash_files([folder / 'traces.jsonl'])[:8]}"

        async def adjudicate_stage(folder: Path = folder, name: str = name) -> Manifest:
            progress.tally = RunTally(traces_total=len(evaluation))
            run, tally = await adjudicate(
                folder, panel, store=url, name=name, index=index, air_gapped=air_gapped, tally=progress.tally
            )
            return {"run": run.name, "tally": str(tally)}

        runs[arm] = (await stages.run(f"adjudicate {arm}", adjudicate_stage))["run"]
    manifest = {
        "experiment": experiment.model_dump(mode="json"),
        "stages": stages.finished,
        "runs": runs,
        "store": hide_password(url),
        "compare": f"tracejury compare {runs['base']} {runs['student']} --store {hide_password(url)}",
        "commit": commit(),
    }
    write_json(out / "manifest.json", manifest)
    return manifest


async def _teach(
    experiment: Experiment, beside: Path, out: Path, url: str, stages: Stages, *, air_gapped: bool
) -> list[Pair]:
    """Return the chains to learn with their questions: from the experiment's files, or sampled from its teacher."""
    teacher = experiment.teacher
    if teacher.endpoint is None:
        return [pair for source in teacher.chains for pair in pairs_of(source, beside)]
    endpoint, questions = teacher.endpoint, questions_of(teacher.questions, beside)

    async def work() -> Manifest:
        store = CallStore(url)
        try:
            async with Gateway(store, secret=experiment.name.encode(), air_gapped=air_gapped) as gateway:
                return await teach(
                    questions,
                    endpoint,
                    gateway,
                    out / "teach",
                    spec=teacher.teach,
                    progress=lambda n, of, bill: stages.progress.update(n, of, f"${bill.usd:.2f}"),
                )
        finally:
            store.close()

    await stages.run("teach", work)
    return read_pairs([out / "teach"])


async def _pretrain(experiment: Experiment, beside: Path, out: Path, backend: str | None, stages: Stages) -> str | None:
    """Train the base on its own chains, where the experiment brings some; return the folder of its weights."""
    base = experiment.base
    if base is None:
        return None
    recipe = load_recipe(named(base.recipe, beside))
    pairs = pairs_of(base.chains, beside)

    corpus = out / "base" / "corpus"

    async def corpus_stage() -> Manifest:
        return build_corpus(pairs, recipe, corpus, made_from=[base.chains.path], progress=stages.progress.update)

    async def train_stage() -> Manifest:
        report = stages.progress.training_step
        return train(recipe, corpus, out / "base" / "trained", backend=backend, report=report)

    await stages.run("base corpus", corpus_stage)
    await stages.run("base", train_stage)
    return _student_weights(out / "base" / "trained")


async def _sample(
    experiment: Experiment,
    recipe: Recipe,
    evaluation: Sequence[Question],
    weights: str,
    endpoint: Endpoint | None,
    folder: Path,
    arm: str,
    url: str,
    air_gapped: bool,
    progress: StageProgress,
) -> Manifest:
    if endpoint is None:
        return sample_in_process(
            evaluation,
            weights,
            recipe.student,
            folder,
            model=f"{recipe.name}-{arm}",
            arm=arm,
            spec=experiment.sample,
            progress=progress.update,
        )
    return await sample_arm(
        evaluation,
        endpoint,
        folder,
        arm=arm,
        student=recipe.student,
        spec=experiment.sample,
        back_end=experiment.served_by,
        store=url,
        air_gapped=air_gapped,
        progress=progress.update,
    )


def endpoints_of(experiment: Experiment, beside: Path) -> list[Endpoint]:
    """Return every endpoint that an experiment calls: the teacher's, the arms' and the panel's."""
    arms = (experiment.teacher.endpoint, experiment.base_endpoint, experiment.student_endpoint)
    panel = load_panel(named(experiment.panel, beside))
    return [*(endpoint for endpoint in arms if endpoint), *panel.endpoints.values()]


def questions_of(sources: Sequence[SampledFrom], beside: Path) -> list[Question]:
    """Return the questions of an experiment's sources, each once, in the order of the sources."""
    questions = (
        question
        for source in sources
        for question in read_questions(
            [place(source.path, beside)], source.reader, limit=source.limit, first=source.first, **source.params
        )
    )
    return list({question.id: question for question in questions}.values())


def named(name: str, beside: Path) -> str | Path:
    """Return a recipe's or panel's name unchanged, and a file's path relative to the experiment."""
    return beside / name if name.endswith((".yaml", ".yml")) else name


def pairs_of(source: SampledFrom, beside: Path) -> list[Pair]:
    """Return the traces of an experiment's source with their questions."""
    return read_pairs([place(source.path, beside)], source.reader, arm=source.arm, **source.params)


def _student_weights(folder: Path) -> str:
    """Return the folder of a trained student's weights; whole weights are preferred to an adapter."""
    return str(next(folder / part for part in ("merged", "model", "adapter") if (folder / part).is_dir()))


def _base_of(recipe: Recipe, corpus: Path) -> str:
    folder = corpus / "student"
    return str(folder) if folder.is_dir() else recipe.student.model
