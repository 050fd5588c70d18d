"""`tracejury cases` and `tracejury calls import`: ask elsewhere what a run would ask."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracejury.console.failing import Exit, explained
from tracejury.console.lines import print_line
from tracejury.console.neutral import print_json
from tracejury.console.options import IndexPath, Json, Store
from tracejury.console.outputs import need_folders

if TYPE_CHECKING:
    from tracejury.graphs import CollectedRequest

calls_app = typer.Typer(no_args_is_help=True, help="Import answers of models that were made elsewhere.")


def cases(
    paths: Annotated[list[Path], typer.Argument(help="Take these: what `tracejury read` wrote, or files of your own.")],
    panel: Annotated[str, typer.Option(help="Use this panel: a shipped one or a YAML file.")] = "embedded",
    out: Annotated[Path, typer.Option("--out", help="Write the requests to this file.")] = Path("cases.jsonl"),
    openai_batch: Annotated[bool, typer.Option("--openai-batch", help="Write the input file of a Batch API.")] = False,
    reader: Annotated[str | None, typer.Option(help="Read PATH in this format (`tracejury read --list`).")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many traces.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Take only this trace or question, by id or its beginning. Repeatable.")
    ] = None,
    arm: Annotated[list[str] | None, typer.Option(help="Take only this arm. Repeatable.")] = None,
    store: Store = None,
    index: IndexPath = None,
    as_json: Json = False,
) -> None:
    """Write the requests that a run would send, without sending one.

    Of each step the first turn that the response cache cannot answer is written: what judges are asked may depend on
    the claims, and what checker and resolver are asked depends on the judges. Answer the file anywhere, import the
    answers with `tracejury calls import`, and repeat until nothing is pending; then `tracejury adjudicate` with the
    same panel and --store makes no call.

    Example: tracejury cases traces/ --panel my_panel.yaml --openai-batch --out batch.jsonl
    """
    with explained():
        from tracejury.agents import load_panel
        from tracejury.console.adjudicate import ready_index
        from tracejury.graphs import collect_requests, select
        from tracejury.ledger import DEFAULT_STORE, Ledger
        from tracejury.models import CallStore
        from tracejury.traces import Batch

        need_folders(out)
        chosen = load_panel(panel, keys=False)
        batch = Batch.open(paths, reader)
        ready_index(chosen, index)
        purposes: Counter[str] = Counter()
        models: Counter[str] = Counter()

        async def write() -> None:
            calls = CallStore(Ledger(store or DEFAULT_STORE).engine)
            try:
                traces = select(batch.traces(), limit=limit, only=only or (), arms=arm or ())
                with out.open("w", encoding="utf-8") as file:
                    async for collected in collect_requests(batch, traces, chosen, calls, index=index):
                        purposes[collected.request.purpose] += 1
                        models[collected.request.model] += 1
                        row = _batch_line(collected) if openai_batch else _case_row(collected)
                        file.write(json.dumps(row, ensure_ascii=False) + "\n")
            finally:
                calls.close()

        asyncio.run(write())
    if as_json:
        print_json(json.dumps({"requests": purposes.total(), "purposes": purposes, "models": models}, indent=2))
        return
    if not purposes:
        print_line("nothing is pending: `tracejury adjudicate` with this panel and --store makes no call")
        return
    by_purpose = ", ".join(f"{purpose} {n:,}" for purpose, n in sorted(purposes.items()))
    print_line(f"{purposes.total():,} requests written to {out}: {by_purpose}; no call was made")
    if len(models) > 1:
        print_line(f"they are for {len(models)} models ({', '.join(sorted(models))}): most Batch APIs take one a file")
    print_line("What follows their answers depends on them: import the answers and run the same command again.")


@calls_app.command("import")
def import_calls(
    file: Annotated[Path, typer.Argument(help="Take this: a Batch API's output, or lines of custom_id and reply.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Import answers that were made elsewhere to the requests of `tracejury cases` into the response cache.

    Example: tracejury calls import batch_output.jsonl
    """
    with explained():
        from tracejury.ledger import DEFAULT_STORE, Ledger
        from tracejury.models import CallStore, import_answers
        from tracejury.traces import json_objects

        if not file.exists():
            raise FileNotFoundError(f"{file} does not exist; name the output of a Batch API")

        async def fill() -> Any:
            calls = CallStore(Ledger(store or DEFAULT_STORE).engine)
            try:
                return await import_answers(calls, json_objects(file, "answer"))
            finally:
                calls.close()

        tally = asyncio.run(fill())
    if as_json:
        print_json(json.dumps(tally._asdict(), indent=2))
    else:
        present = f"{tally.present:,} were there already"
        print_line(f"{tally.imported:,} answers imported, {present}, {tally.failed:,} failed")
    if tally.failed:
        raise typer.Exit(Exit.SOME_FAILED)


def _batch_line(collected: CollectedRequest) -> dict[str, Any]:
    request = collected.request
    return {"custom_id": request.key, "method": "POST", "url": "/v1/chat/completions", "body": request.body}


def _case_row(collected: CollectedRequest) -> dict[str, Any]:
    request, trace, step = collected.request, collected.trace, collected.step
    return {
        "custom_id": request.key,
        "purpose": request.purpose,
        "judge": collected.judge,
        "endpoint": request.endpoint,
        "address": request.address,
        "model": request.model,
        "question": collected.question.key or collected.question.id,
        "arm": trace.arm,
        "sample": trace.sample,
        "step_index": step.index,
        "step_id": step.id,
        "step_text": step.text,
        "messages": request.body["messages"],
        "response_format": request.body.get("response_format"),
        "body": request.body,
    }
