"""`tracejury audit`: from two models, or two files of chains, to the report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.adjudicate import judge_batch, raise_if_stopped, ready_index
from tracejury.console.arm_checks import file_chains
from tracejury.console.arm_inputs import (
    ArmInput,
    ArmOptions,
    TableOptions,
    audited_questions,
    is_address,
    open_arm,
)
from tracejury.console.audit import compare, report
from tracejury.console.failing import Exit, explained, fail
from tracejury.console.options import IndexPath, Json, Store
from tracejury.console.run_inputs import need_reports
from tracejury.console.stages import (
    ChainTokens,
    Out,
    Seed,
    ServedBy,
    Temperature,
    TokenPrice,
    TopP,
    incomplete,
    run_calls,
)

if TYPE_CHECKING:
    from tracejury.agents import Panel
    from tracejury.traces import Question
    from tracejury.training import BackEnd, SampleSpec, Student

Arm = Annotated[
    str, typer.Option(metavar="URL|FILE", help="Ask the server at this address, or read the chains of this file.")
]
Model = Annotated[
    str | None, typer.Option(metavar="NAME", help="Ask this model of the server. Default: the one that it serves.")
]
ArmKeyEnv = Annotated[str | None, typer.Option(metavar="NAME", help="Read the server's key from this variable.")]


def audit(
    base: Arm,
    student: Arm,
    questions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Ask these questions, or take the questions of FILE from here.")
    ] = None,
    panel: Annotated[
        str, typer.Option(help="Judge with this panel: a shipped one (`tracejury panels list`) or a YAML file.")
    ] = "embedded",
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="Compare this many questions, chosen by hash.")] = 200,
    out: Out = Path("audit"),
    reader: Annotated[str | None, typer.Option(help="Read --questions in this format.")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=PATH",
            help="Say where a field of the chains' files stands, as `tracejury read --map` does. Repeatable.",
        ),
    ] = None,
    join: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD=FIELD",
            help="Find a chain's question in --questions by these fields, of the chains and of the questions.",
        ),
    ] = None,
    base_model: Model = None,
    student_model: Model = None,
    base_key_env: ArmKeyEnv = None,
    student_key_env: ArmKeyEnv = None,
    recipe: Annotated[
        str, typer.Option(help="Render prompts as this recipe of the student says (configs/students).")
    ] = "qwen3-8b",
    served_by: ServedBy = None,
    temperature: Temperature = 0.6,
    top_p: TopP = 0.95,
    max_tokens: ChainTokens = 2048,
    seed: Seed = 42,
    parallel: Annotated[int, typer.Option(min=1, help="Sample this many chains at a time.")] = 32,
    price: TokenPrice = (0, 0),
    probe: Annotated[
        bool, typer.Option(help="Ask each judge's endpoint once before the first step, unless done within a day.")
    ] = True,
    store: Store = None,
    index: IndexPath = None,
    dry_run: Annotated[
        bool, typer.Option(help="Show calls, tokens, time, cost and the detectable difference, and call no model.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask two models the same questions, judge every step, and report whether the reasoning got worse.

    Each of --base and --student is the address of an OpenAI-compatible server, or a file of chains in any format that
    `tracejury read` knows. Both arms are sampled (or read), judged by the same panel and compared; OUT/report.html has
    the result. Ctrl-C and SIGTERM finish what has begun; the same command goes on, and samples and pays nothing twice.

    Example: tracejury audit --base http://127.0.0.1:8000/v1 --student http://127.0.0.1:8001/v1 --questions medqa.jsonl
    --panel vllm --n 200 --out audit/
    """
    with explained():
        need_reports()
        from tracejury.agents import load_panel
        from tracejury.console.screen import err
        from tracejury.training import BackEnd, SampleSpec, claim, load_recipe

        if questions is None and (addresses := [source for source in (base, student) if is_address(source)]):
            raise ValueError(
                f"name the questions that {' and '.join(dict.fromkeys(addresses))} answer: --questions FILE"
            )
        chosen = load_panel(panel)
        table = TableOptions(questions, tuple(mapping or ()), join)
        arms = [
            open_arm(options, out, table, parallel=parallel, price=price)
            for options in (
                ArmOptions("base", base, base_model, base_key_env),
                ArmOptions("student", student, student_model, student_key_env),
            )
        ]
        question_set = audited_questions(arms, questions, reader, n)
        chains = file_chains(arms, question_set)
        for remark in (remark for read in chains for remark in read.remarks()):
            err.print(remark, style="yellow", soft_wrap=True)
        spec = SampleSpec(n=1, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed)
        if dry_run:
            from tracejury.console.audit_estimate import show_audit_estimate

            show_audit_estimate(arms, chains, question_set, chosen, spec, index, as_json)
            return
        claim(out, {"base": base, "student": student, "questions": [q.id for q in question_set], "panel": panel})
        url = store or f"sqlite:///{out / 'tracejury.db'}"
        back_end = BackEnd(served_by) if served_by else None
        folders = [_chains(arm, question_set, load_recipe(recipe).student, spec, back_end, url) for arm in arms]
        runs, any_failed = _judge(arms, folders, chosen, out, url, index, probe)
    compare(runs, store=url, as_json=as_json)
    # With --json, standard output is the JSON alone.
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        report(runs, out=[out / "report.html", out / "report.json"], store=url)
    if any_failed:
        raise fail("some steps failed; the same command asks for them again", Exit.SOME_FAILED)


def _chains(
    arm: ArmInput,
    questions: Sequence[Question],
    student: Student,
    spec: SampleSpec,
    back_end: BackEnd | None,
    url: str,
) -> Path:
    """Sample or read an arm's chains; return the folder of those that the jury judges."""
    from tracejury.training import audited_traces, read_arm, sample_arm

    if arm.batch is not None:
        return read_arm(arm.batch, arm.folder, arm=arm.name, question_ids={q.id for q in questions})
    endpoint = arm.endpoint
    assert endpoint is not None  # noqa: S101 - an arm is one or the other
    manifest = run_calls(
        f"{arm.name}: chains",
        arm.folder,
        lambda stopping, move: sample_arm(
            questions,
            endpoint,
            arm.folder,
            arm=arm.name,
            student=student,
            spec=spec,
            store=url,
            back_end=back_end,
            stopping=stopping,
            progress=move,
        ),
    )
    if manifest.get("status") == "incomplete":
        raise incomplete(manifest, f"{arm.name}: calls")
    return audited_traces(arm.folder)


def _judge(
    arms: Sequence[ArmInput],
    folders: Sequence[Path],
    panel: Panel,
    out: Path,
    url: str,
    index: Path | None,
    probe: bool,
) -> tuple[list[str], bool]:
    """Judge both arms in runs that are named by the output folder; return the runs and whether steps failed."""
    from tracejury.traces import Batch

    ready_index(panel, index)
    runs, any_failed = [], False
    for arm, folder in zip(arms, folders, strict=True):
        with Batch.open(folder, "native") as batch:
            name = f"{out.resolve().name}-{arm.name}"
            run, tally = judge_batch(batch, panel, store=url, name=name, index=index, probe=probe)
        raise_if_stopped(tally)
        runs.append(run.name)
        any_failed = any_failed or bool(tally.failed or tally.problems)
    return runs, any_failed
