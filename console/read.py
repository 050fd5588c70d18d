"""The command `read`: published formats and your own files into tracejury's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import explained, fail
from tracejury.console.neutral import print_json
from tracejury.console.options import Json, Store, setting
from tracejury.console.outputs import output_folder

if TYPE_CHECKING:
    from tracejury.traces import Problem, ReadItem, ReadTally


class StrictError(ValueError):
    """`--strict` was given and something could not be read, or is not plausible."""


_PRINTED_PROBLEMS = 10
"""Problems that are printed; the others are counted, and written to problems.jsonl."""


def read(
    reader: Annotated[
        str | None,
        typer.Argument(
            metavar="[READER]",
            help="Read this format (`tracejury read --list`). Without one, the file's contents decide.",
            show_default=False,
        ),
    ] = None,
    path: Annotated[
        Path | None,
        typer.Argument(help="Read this file, or this folder of files or of a data set.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", callback=output_folder, help="Write what `adjudicate` takes to this folder.", show_default=False
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Print what is found, per field. Needs no --out.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first thing that cannot be read, or that is not plausible.")
    ] = False,
    fields: Annotated[
        Path | None,
        typer.Option("--fields", metavar="FILE", help="List the fields of a table, and how it would be read."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=PATH",
            help="Say where a field stands, such as gold=doc.answer or text=choices.0.text; :VALUE holds for all rows. "
            "Repeatable.",
        ),
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option("--questions", metavar="FILE", help="Take the questions from this file.", show_default=False),
    ] = None,
    join: Annotated[
        str | None,
        typer.Option(
            "--join",
            metavar="FIELD=FIELD",
            help="Find a reply's question by these fields, of the replies and of the questions.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set a parameter of the format: first=0 or 1, where positions of gold answers start; questions=DIR of "
            "mirage. Repeatable.",
        ),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the formats installed.")] = False,
    run: Annotated[
        str | None,
        typer.Option("--run", help="Name the run that `read verdicts` writes. Default: the table's name."),
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Read questions and traces of a published format, or of your own, and write them as tracejury's JSON lines.

    A table of your own (CSV, Parquet, JSON, JSON lines, chat logs, batch files, data sets on disk) is read as its
    fields suggest; the reading is printed, and --map changes it. What cannot be read is reported with file, line and
    next step, and written to problems.jsonl; the rest goes on. `read native` checks files that you wrote by hand.

    `read verdicts TABLE` writes a run out of a table of verdicts (CSV or JSON lines: question, arm, step, label; also
    judge, sample, count, human, answer, gold), so that `compare` analyses a published audit. --set WORD=LABEL says what
    a word of the table means: supported, error, unclear, no_claim or failed.

    Examples:
      tracejury read replies.csv --out batch
      tracejury read --fields replies.jsonl
      tracejury read replies.jsonl --map gold=target --map arm=:distilled --check
      tracejury read batch_output.jsonl --questions batch_input.jsonl --join custom_id=custom_id --out batch
      tracejury read mr-ben medicine.json --out batch
      tracejury read verdicts published.csv --run published --set uncertain=unclear
    """
    if listing:
        _list(as_json)
        return
    if fields is not None:
        with explained():
            _show_fields(fields, as_json)
        return
    if path is None and reader is not None and os.path.exists(reader):
        path, reader = Path(reader), None
    if path is None:
        nothing = "" if reader is None else f"{reader} is no file or folder; "
        raise fail(
            f"{nothing}name a reader and a path, or a path: tracejury read PATH --out DIR (tracejury read --list)"
        )
    if reader == "verdicts":
        with explained():
            from tracejury.console.verdict_table import read_verdicts

            words = {word: str(label) for word, label in map(setting, settings or [])}
            read_verdicts(path, run, store, words, as_json)
        return
    if out is None and not check:
        raise fail("name a folder with --out DIR, or look only with --check")
    joined = {"questions": questions and str(questions), "join": join}
    with explained():
        params: dict[str, object] = dict(map(setting, settings or []))
        params |= {name: value for name, value in joined.items() if value is not None}
        tally, messages = _run(_open(reader, path, mapping or [], params), out, strict, what=f"reading {path.name}")
    _report(tally, messages, out, check, as_json)
    summary = tally.summary()
    if not summary.questions and not summary.traces:
        raise fail(f"nothing was found in {path}; see tracejury read --fields {path}")


def _show_fields(path: Path, as_json: bool) -> None:
    """Print the fields of a table and the proposal for reading it."""
    from tracejury.traces import proposed_reading, table_fields

    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; name a file or folder that does")
    rows, reading = table_fields(path), proposed_reading(path)
    if as_json:
        body = {"fields": [row.model_dump() for row in rows], "reading": reading}
        print_json(json.dumps(body, ensure_ascii=False, indent=2))
        return
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    table = Table("field", "filled", "holds", "mean length", "example")
    for row in rows:
        length = f"{row.mean_length:,.0f}" if row.mean_length else ""
        table.add_row(row.path, f"{row.filled:,} / {row.rows:,}", row.kind, length, row.example)
    out.print(table)
    out.print(reading, soft_wrap=True)


def _open(reader: str | None, path: Path, mapping: list[str], settings: dict[str, object]) -> Iterator[ReadItem]:
    """Start reading; a wrong name, path, mapping or setting is an error here."""
    from tracejury.traces import read as read_found

    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; name a file or folder that does")
    pairs = dict(pair.partition("=")[::2] for pair in mapping)
    if wrong := [name for name, field in pairs.items() if not name or not field]:
        raise ValueError(f"--map {wrong[0]!r} is not of the form FIELD=PATH, such as gold=target")
    params = settings | ({"fields": pairs} if pairs else {})
    # Whoever says where fields stand, or which file has the questions, means a table.
    reader = reader or ("table" if {"questions", "join"} & settings.keys() else None)
    try:
        return read_found(reader, path, **params)
    except TypeError as error:
        named = f"the reader {reader!r}" if reader else "the reader that this file needs"
        if "'fields'" in str(error):
            raise ValueError(f"{named} has its fields fixed and takes no --map") from error
        raise ValueError(f"{named}: {str(error).partition('() ')[2] or error}; see --set") from error


def _run(items: Iterator[ReadItem], out: Path | None, strict: bool, what: str) -> tuple[ReadTally, list[Problem]]:
    """Go through `items` with live counts; return the counts, the notes and the first problems."""
    from tracejury.console.progress import progress
    from tracejury.traces import Problem, Question, ReadTally, Severity, write_batch

    tally = ReadTally()
    messages: list[Problem] = []
    with progress(what) as bar:
        counts = {"questions": 0, "traces": 0, "problems": 0}

        def watched() -> Iterator[ReadItem]:
            for n, item in enumerate(items, 1):
                match item:
                    case Problem(severity=Severity.NOTE):
                        messages.append(item)
                    case Problem():
                        counts["problems"] += 1
                        if strict:
                            raise StrictError(f"{item}\n--strict: reading stopped here and nothing was written")
                        if counts["problems"] <= _PRINTED_PROBLEMS:
                            messages.append(item)
                    case Question():
                        counts["questions"] += 1
                    case _:
                        counts["traces"] += 1
                if n % 200 == 0:
                    bar.update(n, note=", ".join(f"{count:,} {name}" for name, count in counts.items()))
                yield item

        if out is not None:
            write_batch(watched(), out, tally)
        else:
            for item in watched():
                tally.add(item)
    return tally, messages


def _report(tally: ReadTally, messages: list[Problem], out: Path | None, check: bool, as_json: bool) -> None:
    summary, fields = tally.summary(), tally.fields()
    if as_json:
        data = {**summary.model_dump(), "out": None if out is None else str(out)}
        if check:
            data["fields"] = [f.model_dump(exclude_defaults=True) for f in fields]
        data["notes"] = [str(message) for message in messages if message.severity == "note"]
        data["first_problems"] = [m.model_dump(exclude_none=True) for m in messages if m.severity != "note"]
        print_json(json.dumps(data, ensure_ascii=False, indent=2))
        return
    from tracejury.console import screen
    from tracejury.console.table import Table

    for message in messages:
        screen.err.print(str(message), style="" if message.severity == "note" else "yellow", soft_wrap=True)
    if summary.problems > _PRINTED_PROBLEMS:
        more = f"and {summary.problems - _PRINTED_PROBLEMS:,} more problems"
        screen.err.print(f"{more}{'' if out is None else f': {out}/problems.jsonl'}", style="yellow", soft_wrap=True)
    if check:
        table = Table("record", "field", "filled", "", "what")
        for f in fields:
            share = f"{f.filled / f.of:.0%}" if f.of else "-"
            table.add_row(f.record, f.field, f"{f.filled:,} / {f.of:,}", share, _what(f))
        screen.out.print(table)
    table = Table("found", figures=("count",))
    for name in ("questions", "traces", "unparsable", "empty", "labelled_steps", "problems"):
        table.add_row(_WORDS[name], f"{getattr(summary, name):,}")
    for name, counts in (("arm", summary.arms), ("model", summary.models)):
        for value, count in list(counts.items())[:12]:
            table.add_row(f"  {name} {value}", f"{count:,}")
    screen.out.print(table)
    if out is not None:
        screen.out.print(f"written to {out}; next: tracejury adjudicate {out}", soft_wrap=True)


_WORDS = {
    "questions": "questions",
    "traces": "traces",
    "unparsable": "  without an answer that could be found",
    "empty": "  empty",
    "labelled_steps": "steps with a human label",
    "problems": "problems",
}


def _what(field: object) -> str:
    from tracejury.traces import FieldCount

    if not isinstance(field, FieldCount):
        raise TypeError(field)
    if field.values:
        return ", ".join(f"{value} {count:,}" for value, count in field.values.items())
    if field.shortest is not None:
        unit = "" if field.field in ("options", "steps") else " characters"
        return f"{field.shortest:,} to {field.longest:,}{unit}, mean {field.mean:,.0f}"
    return ""


def _list(as_json: bool) -> None:
    """Print the readers installed. Formats are light: making a reader reads nothing."""
    from tracejury.traces import readers

    rows = [(e.name, readers.make(e.name).summary, e.package) for e in readers.entries()]
    if as_json:
        print_json(json.dumps([dict(zip(("name", "summary", "package"), row, strict=True)) for row in rows], indent=2))
        return
    from tracejury.console.screen import out
    from tracejury.console.table import Table

    table = Table("reader", "reads", "package")
    for row in rows:
        table.add_row(*row)
    out.print(table)
