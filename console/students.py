"""`tracejury student ...`: teach, corpus, sample, serve."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracejury.console.air_gap import close_network_to_all_but
from tracejury.console.failing import explained
from tracejury.console.lines import print_line, print_notice
from tracejury.console.neutral import print_json
from tracejury.console.options import AirGapped, Json, Store
from tracejury.console.stages import (
    BaseUrl,
    ChainTokens,
    KeyEnv,
    Out,
    Reader,
    Recipe,
    Seed,
    ServedBy,
    Temperature,
    TokenPrice,
    TopP,
    calls_store,
    incomplete,
    moving_bar,
    print_manifest,
    run_calls,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tracejury.models import Endpoint


def teach(
    questions: Annotated[list[Path], typer.Argument(help="Read questions with gold answers from these files.")],
    model: Annotated[str, typer.Option(help="Ask this model of the server.")],
    base_url: BaseUrl = None,
    key_env: KeyEnv = None,
    out: Out = Path("teach"),
    reader: Reader = "native",
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many questions.")] = None,
    keep: Annotated[int, typer.Option(min=1, help="Keep this many correct chains per question.")] = 2,
    tries: Annotated[int, typer.Option(min=1, help="Try at most this many times per question.")] = 20,
    disclose_after: Annotated[
        int, typer.Option(min=1, help="Disclose the answer after this many wrong chains in a row.")
    ] = 5,
    price: TokenPrice = (0, 0),
    max_tokens: Annotated[int, typer.Option(min=16, help="Limit a reply to this many tokens.")] = 2048,
    parallel: Annotated[int, typer.Option(min=1, help="Work on this many questions at a time.")] = 32,
    dry_run: Annotated[bool, typer.Option(help="Show what it can cost, and call no model.")] = False,
    air_gapped: AirGapped = False,
    store: Store = None,
) -> None:
    """Ask a teacher for chains of thought until each question has enough correct ones.

    Wrong, unparsable and too similar chains are dropped and counted. If the command is killed, the same command resumes
    it and pays for nothing twice.

    Example: tracejury student teach train.jsonl --reader medqa --model deepseek-chat --base-url
    https://api.deepseek.com/v1 --key-env DEEPSEEK_API_KEY --price 0.28 0.42
    """
    with explained():
        from tracejury.models import CallStore, Gateway
        from tracejury.training import TeachSpec, expected_cost, read_questions
        from tracejury.training import teach as ask

        spec = TeachSpec(keep=keep, tries=tries, misses=disclose_after, max_tokens=max_tokens, parallel=parallel)
        endpoint = _endpoint(model, base_url, key_env, price)
        question_set = read_questions(questions, reader, limit=limit)
        least, most = expected_cost(question_set, endpoint, spec)
        print_notice(
            f"{len(question_set)} questions: {least.calls} to {most.calls} calls, "
            f"${least.usd:.2f} to ${most.usd:.2f} at these prices."
        )
        if dry_run:
            return
        if air_gapped:
            close_network_to_all_but([endpoint])

        async def run(stopping: asyncio.Event, move: Callable[..., None]) -> dict[str, Any]:
            calls = CallStore(calls_store(store, out))
            try:
                async with Gateway(calls, secret=b"teach", air_gapped=air_gapped) as gateway:
                    return await ask(
                        question_set,
                        endpoint,
                        gateway,
                        out,
                        spec=spec,
                        stopping=stopping,
                        progress=lambda n, of, bill: move(n, of, f"${bill.usd:.4f}"),
                    )
            finally:
                calls.close()

        manifest = run_calls("questions", out, run)
    print_manifest(manifest, ("traces", "hint_used", "drops", "failed_calls", "calls", "usd"))
    if manifest.get("status") == "incomplete":
        raise incomplete(manifest)


def corpus(
    recipe: Recipe,
    traces: Annotated[list[Path], typer.Argument(help="Read teacher traces with their questions from these paths.")],
    out: Out = Path("corpus"),
    reader: Reader = "native",
    tokenizer: Annotated[
        str | None, typer.Option(help="Take the tokenizer from this folder or hub name. Default: the recipe's model.")
    ] = None,
    evaluation: Annotated[
        list[Path] | None, typer.Option(help="Check for overlap with these evaluation questions. Repeatable.")
    ] = None,
    evaluation_reader: Annotated[str, typer.Option(help="Read --evaluation in this format.")] = "native",
    on_contamination: Annotated[
        str, typer.Option(help="Treat overlapping questions so: fail, drop, or tell (report them only).")
    ] = "fail",
    embeddings: Annotated[bool, typer.Option(help="Look for overlaps in meaning too, with the fetched minilm.")] = True,
    verdicts: Annotated[
        str | None, typer.Option(help="Filter by the verdicts of this run over the same traces.")
    ] = None,
    mode: Annotated[str, typer.Option(help="Filter by --verdicts so: keep, drop, trim or weight.")] = "drop",
    store: Store = None,
) -> None:
    """Make an SFT corpus from traces: filter, render, split by question, check for contamination.

    Conversations (JSON lines with `messages`, --reader messages) are taken as they stand. README.md counts what is left
    out, by reason; the folder loads with `datasets`, as rendered rows or as conversations.

    With --verdicts a student learns from what a jury held correct: `keep` keeps traces with every claim supported,
    `drop` drops those with an error, `trim` keeps the steps before the first error, `weight` weights a trace by its
    supported share.

    Example: tracejury student corpus qwen3-8b teach/ --out corpus/ --evaluation medqa/test.jsonl
    --evaluation-reader medqa
    """
    with explained():
        from tracejury.models import embedder
        from tracejury.training import build_corpus, load_recipe, read_pairs, read_questions

        if on_contamination not in ("fail", "drop", "tell") or mode not in ("keep", "drop", "trim", "weight"):
            raise ValueError("--on-contamination is fail, drop or tell; --mode is keep, drop, trim or weight")
        examined = read_questions(evaluation, evaluation_reader) if evaluation else []
        with moving_bar("traces", out) as move:
            manifest = build_corpus(
                read_pairs(traces, reader),
                load_recipe(recipe),
                out,
                tokenizer_from=tokenizer,
                evaluation=examined,
                on_contamination=on_contamination,  # type: ignore[arg-type]
                embedder=embedder("minilm") if examined and embeddings else None,
                verdicts=None if verdicts is None else _verdicts(verdicts, store),
                mode=mode,  # type: ignore[arg-type]
                made_from=[str(p) for p in traces],
                progress=move,
            )
    print_manifest(manifest, ("rows", "questions", "tokens", "drops", "verdicts", "contamination"))
    print_notice(f"The card: {out / 'README.md'}")


def sample(
    questions: Annotated[list[Path], typer.Argument(help="Answer the questions of these files.")],
    out: Out = Path("sampled"),
    recipe: Annotated[str, typer.Option(help="Render prompts as this recipe of the student says.")] = "qwen3-8b",
    weights: Annotated[
        str | None, typer.Option(help="Sample in this process from this folder of weights or GGUF file.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="Find the adapter's base model in this folder.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Use this model at --base-url, and this name in the traces.")
    ] = None,
    base_url: BaseUrl = None,
    key_env: KeyEnv = None,
    arm: Annotated[str, typer.Option(help="Put the traces into this arm.")] = "distilled",
    reader: Reader = "native",
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many questions.")] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Draw this many chains per question.")] = 64,
    temperature: Temperature = 0.6,
    top_p: TopP = 0.95,
    max_tokens: ChainTokens = 2048,
    seed: Seed = 42,
    cache_tokens: Annotated[
        int,
        typer.Option(min=1, help="Sample in batches of this many tokens, in this process; halved if memory runs out."),
    ] = 65_536,
    backend: Annotated[str, typer.Option(help="Sample with trl, or with unsloth for its fast inference.")] = "trl",
    served_by: ServedBy = None,
    air_gapped: AirGapped = False,
    store: Store = None,
) -> None:
    """Sample chains of thought from a student, as native traces with model and arm.

    The student is an endpoint (--model, --base-url), a folder of weights (--weights FOLDER) or a GGUF (--weights
    FILE.gguf). The recipe's template arguments travel with every request, and the server's own sampling defaults are
    switched off, in the spelling of --served-by. Answers that cannot be parsed are counted. If the command is killed,
    the same command resumes it.

    Example: tracejury student sample medqa/test.jsonl --reader medqa --weights student/merged --recipe qwen3-8b -n 4
    """
    with explained():
        from tracejury.models import Endpoint
        from tracejury.training import BackEnd, SampleSpec, load_recipe, read_questions, sample_arm, sample_in_process

        spec = SampleSpec(
            n=n, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, cache_tokens=cache_tokens
        )
        question_set = read_questions(questions, reader, limit=limit)
        if (weights is None) == (base_url is None):
            raise ValueError("give either --weights (in this process) or --base-url with --model (an endpoint)")
        gguf = weights is not None and weights.endswith(".gguf")
        endpoint = None
        if gguf:
            endpoint = Endpoint(
                name="student", kind="embedded", model=str(weights), max_concurrency=1, reply_format="text"
            )
        elif weights is None:
            endpoint = _endpoint(model or "", base_url, key_env, (0, 0))
        if air_gapped:
            close_network_to_all_but([endpoint] if endpoint else [])
        if endpoint is None:
            with moving_bar("chains", out) as move:
                manifest = sample_in_process(
                    question_set,
                    str(weights),
                    load_recipe(recipe).student,
                    out,
                    model=model or Path(str(weights)).name,
                    arm=arm,
                    spec=spec,
                    base=base,
                    backend=backend,
                    progress=move,
                )
        else:
            manifest = run_calls(
                "chains",
                out,
                lambda stopping, move: sample_arm(
                    question_set,
                    endpoint,
                    out,
                    arm=arm,
                    student=load_recipe(recipe).student,
                    spec=spec,
                    back_end=BackEnd(served_by) if served_by else None,
                    store=calls_store(store, out),
                    air_gapped=air_gapped,
                    stopping=stopping,
                    progress=move,
                ),
            )
    print_manifest(
        manifest,
        ("status", "traces", "unparsable_answers", "cut_off", "correct", "failed_calls", "adaptations", "seconds"),
    )
    if manifest.get("status") == "incomplete":
        raise incomplete(manifest)
    from tracejury.training import audited_traces

    audited = audited_traces(out)
    print_notice(f"the first chain of each question, with the answers of all: tracejury adjudicate {audited}")


def serve(
    student: Annotated[Path, typer.Argument(help="Serve this: what `tracejury student train` wrote, or a GGUF.")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Serve on this port of 127.0.0.1.")] = 8000,
    name: Annotated[str | None, typer.Option(help="Serve the model under this name.")] = None,
    base: Annotated[str | None, typer.Option(help="Find the adapter's base model in this folder.")] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="Use the template arguments of this recipe. Default: of the one that trained STUDENT."),
    ] = None,
    start: Annotated[bool, typer.Option(help="Start the server instead of printing its command.")] = False,
    as_json: Json = False,
) -> None:
    """Print, or start, the command that serves a student: vLLM with its adapter, or llama.cpp for a GGUF.

    Example: tracejury student serve student/ --port 8000
    """
    with explained():
        from tracejury.training import load_recipe, serving
        from tracejury.training.serving import require_program

        server = serving(
            student, port=port, name=name, base=base, recipe=load_recipe(recipe).student if recipe else None
        )
        if start:
            require_program(server.command)
            os.execvp(server.command[0], server.command)  # noqa: S606
    if as_json:
        print_json(json.dumps(server._asdict()))
        return
    import shlex

    print_line(shlex.join(server.command))
    command = f"tracejury student sample QUESTIONS --base-url {server.base_url}"
    print_notice(f"then: {command} --model {server.model} --arm distilled --out sampled/distilled")
    if server.base_model:
        print_notice(f"the base, from the same server: {command} --model {server.base_model} --arm base")


def _endpoint(model: str, base_url: str | None, key_env: str | None, price: tuple[float, float]) -> Endpoint:
    from tracejury.models import Endpoint, Price

    return Endpoint(
        name=model,
        model=model,
        base_url=base_url,
        api_key_env=key_env,
        reply_format="text",
        price=Price(prompt=price[0], completion=price[1]),
    )


def _verdicts(run: str, store: str | None) -> Any:
    from tracejury.ledger import DEFAULT_STORE, Ledger
    from tracejury.training import collect

    ledger = Ledger(store or DEFAULT_STORE)
    try:
        return collect(ledger.rows(ledger.run(run)))
    finally:
        ledger.close()
