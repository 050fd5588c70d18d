"""All that waits for a GPU about students, in the order of its worth, by one command; results are written as they come.

    python benchmarks/gpu_session.py --out OUT --chains mirage/traces/medqa.cot.gpt-4-32k.jsonl --reader mirage \
        --pairs PAIRS.json.xz --minilm MINILM_DIR --weights SMOLLM2_DIR          # on a CUDA machine: 25 minutes
    python benchmarks/gpu_session.py --out /tmp/gpu --scale cpu                  # does it run? a few minutes

    checker    train the checker (training/verifier/stages.py); needs --pairs and --minilm
    ratio      Unsloth against TRL, A B B A, with the GPU's busy share; no ratio below .7 (gpu_ratio.py)
    student    a small student with Unsloth on real chains, its adapter saved; chains before and after
    grpo       20 steps of GRPO from there, rewarded by a panel without a model; chains after
    audit      the jury on the chains of all arms, and the comparisons; needs no GPU

Each part is a process with a time limit, and goes on where it stopped. OUT/session.json says for each part whether it
ran, for how long, on what, and what it found. `checker`, `ratio` and `student` need the training stack, pydantic and
PyYAML alone; `grpo` and `audit` need tracejury's own dependencies too. OUT may be carried to another machine for them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from tracejury.training.machine import commit, hardware, versions
from tracejury.training.recipe import Recipe, load_recipe
from tracejury.training.rows import write_json

ROOT = Path(__file__).resolve().parents[1]
TINY = ROOT / "configs" / "experiments" / "tiny"
LIMIT_S = {"checker": 480.0, "ratio": 560.0, "student": 420.0, "grpo": 420.0, "audit": 600.0}


class Scale(NamedTuple):
    """How much of everything: a GPU's, or as little as shows that it runs."""

    recipe: str
    steps: int
    grpo: dict[str, Any]
    chains: int
    examined: int
    samples: int
    max_tokens: int


SCALES = {
    "gpu": Scale("smollm2-135m", 75, {"steps": 20, "prompts": 4, "generations": 8, "max_tokens": 256}, 300, 40, 4, 320),
    "cpu": Scale("tiny", 4, {"steps": 2, "prompts": 2, "generations": 2, "max_tokens": 24}, 40, 4, 1, 48),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the parts, each in a process of its own, or one of them in this process (`--inside`)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scale", choices=SCALES, default="gpu")
    parser.add_argument("--parts", nargs="+", choices=LIMIT_S, default=list(LIMIT_S))
    parser.add_argument("--chains", type=Path, default=TINY / "teacher.jsonl", help="questions with a teacher's chains")
    parser.add_argument("--reader", default="native")
    parser.add_argument("--weights", help="the student's weights; default: those of the recipe")
    parser.add_argument(
        "--panel", default=str(TINY / "panel.yaml"), help="judges and rewards; without a model it is fast"
    )
    parser.add_argument("--pairs", type=Path, help="of `checker`: what checker_pairs.py writes")
    parser.add_argument("--minilm", type=Path, help="of `checker`: the folder of all-MiniLM-L6-v2")
    parser.add_argument("--inside", choices=("student", "grpo", "audit"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.inside:
        figures = {"student": run_student, "grpo": run_grpo, "audit": run_audit}[options.inside](options)
        write_json(options.out / f"{options.inside}.json", figures)
        return 0
    record = options.out / "session.json"
    session: dict[str, Any] = json.loads(record.read_text("utf-8")) if record.is_file() else {"parts": {}}
    for part in options.parts:
        session["parts"][part] = run_part(part, options)
        print(part, json.dumps(session["parts"][part])[:300], flush=True)
        write_json(record, session)
    return 0 if all(session["parts"][part]["status"] == "done" for part in options.parts) else 2


def run_part(part: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one part apart; return its status, duration, machine and figures."""
    command, figures = command_of(part, options)
    if command is None:
        return {"status": "left out: --pairs and --minilm are not there"}
    began = time.monotonic()
    log = options.out / f"{part}.log"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    with log.open("w", encoding="utf-8") as output:
        try:
            code = subprocess.run(
                [sys.executable, *command],
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=LIMIT_S[part],
                env=environment,
                cwd=ROOT,
            ).returncode
            status = "done" if code == 0 else f"exit {code}"
        except subprocess.TimeoutExpired:
            status = f"stopped after {LIMIT_S[part]:.0f} s"
    return {
        "status": status,
        "seconds": round(time.monotonic() - began),
        "commit": commit(),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "hardware": hardware(),
        "versions": versions(),
        "figures": json.loads(figures.read_text("utf-8")) if status == "done" and figures.is_file() else None,
        "log": [] if status == "done" else log.read_text(encoding="utf-8").splitlines()[-12:],
    }


def command_of(part: str, options: argparse.Namespace) -> tuple[list[str] | None, Path]:
    """Return a part's command (None: its inputs are not there) and the file of its figures."""
    out = options.out
    if part == "checker":
        if options.pairs is None or options.minilm is None:
            return None, out
        script = [str(ROOT / "training/verifier/stages.py"), str(options.pairs), str(options.minilm)]
        return [*script, str(out / "checker")], out / "checker" / "result.json"
    if part == "ratio":
        small = ["--shape", "cpu", "--backends", "trl"] if options.scale == "cpu" else []
        script = [str(ROOT / "benchmarks/gpu_ratio.py"), "--out", str(out / "ratio"), "--work", str(out / "ratio-work")]
        return [*script, *small], out / "ratio" / "gpu-ratio.json"
    passed_on = ["--scale", options.scale, "--chains", str(options.chains), "--reader", options.reader]
    passed_on += ["--panel", options.panel, *(["--weights", options.weights] if options.weights else [])]
    return [__file__, "--out", str(out), "--inside", part, *passed_on], out / f"{part}.json"


def recipe_of(scale: Scale) -> Recipe:
    """Return the recipe: `auto` takes Unsloth on a GPU; merged weights are where GRPO starts from."""
    recipe = load_recipe(scale.recipe).model_dump()
    recipe["schedule"] |= {"max_steps": scale.steps, "save_every": 25}
    grpo = (recipe["grpo"] or {}) | scale.grpo
    return Recipe.model_validate(recipe | {"backend": "auto", "export": {"merged": True}, "grpo": grpo})


def split_chains(options: argparse.Namespace) -> tuple[list[Any], list[Any]]:
    """Return the pairs to learn from and the questions to examine; no question is in both."""
    from tracejury.training import first_questions, read_pairs

    pairs = read_pairs([options.chains], options.reader)
    scale = SCALES[options.scale]
    examined = first_questions(list({p.question.id: p.question for p in pairs}.values()), scale.examined)
    held_out = {question.id for question in examined}
    return [p for p in pairs if p.question.id not in held_out][: scale.chains], examined


def sample(
    options: argparse.Namespace, arm: str, weights: str, base: str | None, examined: list[Any]
) -> dict[str, Any]:
    """Sample an arm's chains in this process; return what the manifest counts."""
    from tracejury.training import SampleSpec, sample_in_process

    scale = SCALES[options.scale]
    manifest = sample_in_process(
        examined,
        weights,
        recipe_of(scale).student,
        options.out / "sampled" / arm,
        model=f"{scale.recipe}-{arm}",
        arm=arm,
        spec=SampleSpec(n=scale.samples, max_tokens=scale.max_tokens),
        base=base,
    )
    return {name: manifest[name] for name in ("traces", "correct", "unparsable_answers", "cut_off", "seconds")}


def run_student(options: argparse.Namespace) -> dict[str, Any]:
    """Train a student on real chains, and sample it before and after."""
    from tracejury.training import build_corpus, train

    scale = SCALES[options.scale]
    recipe, (pairs, examined) = recipe_of(scale), split_chains(options)
    corpus, out = options.out / "corpus", options.out / "student"
    build_corpus(pairs, recipe, corpus, tokenizer_from=options.weights, evaluation=examined, on_contamination="tell")
    weights = options.weights or (str(corpus / "student") if (corpus / "student").is_dir() else recipe.student.model)
    manifest = train(recipe, corpus, out, weights=weights)
    figures = ("backend", "precision", "steps", "loss", "eval_loss", "tokens_per_s", "outputs")
    return {
        **{name: manifest[name] for name in figures},
        "gpu_allocated_gib": manifest.get("gpu_allocated_gib"),
        "adapter_bytes": (out / "adapter" / "adapter_model.safetensors").stat().st_size,
        "base": sample(options, "base", weights, None, examined),
        "student": sample(options, "student", str(out / "adapter"), weights, examined),
    }


def run_grpo(options: argparse.Namespace) -> dict[str, Any]:
    """Reinforce the student by the panel's verdicts, and sample it."""
    from tracejury.agents import load_panel
    from tracejury.training import JuryReward, reinforce

    recipe, (pairs, examined) = recipe_of(SCALES[options.scale]), split_chains(options)
    start, out = str(options.out / "student" / "merged"), options.out / "reinforced"
    questions = {p.question.id: p.question for p in pairs}
    out.mkdir(parents=True, exist_ok=True)
    with JuryReward(load_panel(options.panel), questions, store=f"sqlite:///{out / 'calls.db'}") as reward:
        manifest = reinforce(recipe, start, list(questions.values()), reward, out)
    sampled = sample(options, "reinforced", str(out / "adapter"), start, examined)
    return {name: manifest[name] for name in ("backend", "steps", "rewards", "seconds")} | {"reinforced": sampled}


def run_audit(options: argparse.Namespace) -> dict[str, Any]:
    """Let the jury judge every arm, and compare them in pairs."""
    import asyncio

    from tracejury.agents import load_panel
    from tracejury.graphs import adjudicate
    from tracejury.training import audited_traces

    store, panel = f"sqlite:///{options.out / 'tracejury.db'}", load_panel(options.panel)
    sampled = options.out / "sampled"
    arms = [arm for arm in ("base", "student", "reinforced") if (sampled / arm / "traces.jsonl").is_file()]
    for arm in arms:
        asyncio.run(adjudicate(audited_traces(sampled / arm), panel, store=store, name=arm))
    return {
        f"{before} -> {after}": _compare(before, after, store)
        for before, after in (("base", "student"), ("student", "reinforced"), ("base", "reinforced"))
        if {before, after} <= set(arms)
    }


def _compare(before: str, after: str, store: str) -> Any:
    command = [str(Path(sys.executable).with_name("tracejury")), "compare", before, after, "--store", store, "--json"]
    finished = subprocess.run(command, capture_output=True, text=True)
    return json.loads(finished.stdout) if finished.returncode == 0 else {"refused": finished.stderr[-600:]}


if __name__ == "__main__":
    sys.exit(main())
