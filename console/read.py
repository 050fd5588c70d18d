"""The command `read`: published formats and your own files into tracejury's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracejury.console.failing import explained, fail
from tracejury.console.options import Json, setting

if TYPE_CHECKING:
    from tracejury.traces import Problem, ReadItem, ReadTally


class StrictError(ValueError):
    """`--strict` was given and something could not be read."""


def read(
    reader: Annotated[
        str | None, typer.Argument(help="A format; `tracejury read --list` names them.", show_default=False)
    ] = None,
    path: Annotated[
        Path | None, typer.Argument(help="A file, or a folder where the format is one.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write: what `adjudicate` takes.", show_default=False)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Print what is found, per field. Needs no --out.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first thing that cannot be read.")] = False,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=NAME",
            help="Where a field stands in your file, or :VALUE for all (chat, lm-eval, inspect). Repeatable.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A parameter of the format, such as first=0 of medmcqa or questions=DIR of mirage. Repeatable.",
        ),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the formats installed.")] = False,
    as_json: Json = False,
) -> None:
    """Read questions and traces of a published format, or of your own, and write them as tracejury's JSON lines.

    What cannot be read is told with file, line and next step, and written to problems.jsonl; the rest goes on.
    `read native` checks files that you wrote by hand.

    Examples:
      tracejury read mr-ben medicine.json --out batch
      tracejury read chat replies.jsonl --map gold=target --map arm=:distilled --check
    """
    if listing:
        _list(as_json)
        return
    if reader is None or path is None:
        raise fail("name a reader and a path: tracejury read READER PATH --out DIR (see tracejury read --list)")
    if out is None and not check:
        raise fail("name a folder with --out DIR, or look only with --check")
    with explained():
        tally, shown = _run(
            _open(reader, path, mapping or [], settings or []), out, strict, what=f"reading {path.name}"
        )
    _report(tally, shown, out, check, as_json)
    summary = tally.summary()
    if not summary.questions and not summary.traces:
        raise fail(f"nothing was found in {path} by the reader {reader!r}; see tracejury read --list")


def _open(reader: str, path: Path, mapping: list[str], settings: list[str]) -> Iterator[ReadItem]:
    """Start reading; a wrong name, path, mapping or setting is told here."""
    from tracejury.traces import read as read_found

    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; name a file or folder that does")
    pairs = dict(pair.partition("=")[::2] for pair in mapping)
    if wrong := [name for name, field in pairs.items() if not name or not field]:
        raise ValueError(f"--map {wrong[0]!r} is not of the form FIELD=NAME, such as gold=target")
    params = dict(map(setting, settings)) | ({"fields": pairs} if pairs else {})
    try:
        return read_found(reader, path, **params)
    except TypeError as error:
        if "'fields'" in str(error):
            raise ValueError(f"the reader {reader!r} has its fields fixed and takes no --map") from error
        raise ValueError(f"the reader {reader!r}: {str(error).partition('() ')[2] or error}; see --set") from error


def _run(found: Iterator[ReadItem], out: Path | None, strict: bool, what: str) -> tuple[ReadTally, list[Problem]]:
    """Go through `found` with live counts; return the counts and the first problems."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tracejury.console.screen import err
    from tracejury.traces import Problem, Question, ReadTally, write_batch

    tally = ReadTally()
    shown: list[Problem] = []
    # How much there is shows only at the end: the bar moves to and fro, the counts tell the progress.
    columns = (
        TextColumn("{task.description}"),
        BarColumn(20),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=None, counts="")
        seen = {"questions": 0, "traces": 0, "problems": 0}

        def watched() -> Iterator[ReadItem]:
            for n, item in enumerate(found, 1):
                seen[
                    "problems" if isinstance(item, Problem) else "questions" if isinstance(item, Question) else "traces"
                ] += 1
                if n % 200 == 0:
                    bar.update(task, counts=", ".join(f"{count:,} {name}" for name, count in seen.items()))
                if isinstance(item, Problem):
                    if strict:
                        raise StrictError(f"{item}\n--strict: reading stopped here and nothing was written")
                    if len(shown) < 10:
                        shown.append(item)
                yield item

        if out is not None:
            write_batch(watched(), out, tally)
        else:
            for item in watched():
                tally.add(item)
    return tally, shown


def _report(tally: ReadTally, shown: list[Problem], out: Path | None, check: bool, as_json: bool) -> None:
    summary, fields = tally.summary(), tally.fields()
    if as_json:
        data = {**summary.model_dump(), "out": None if out is None else str(out)}
        if check:
            data["fields"] = [f.model_dump(exclude_defaults=True) for f in fields]
        data["first_problems"] = [p.model_dump(exclude_none=True) for p in shown]
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    from rich.markup import escape
    from rich.table import Table

    from tracejury.console import screen

    for problem in shown:
        screen.err.print(f"[yellow]{escape(str(problem))}[/yellow]", soft_wrap=True)
    if summary.problems > len(shown):
        more = f"and {summary.problems - len(shown):,} more problems"
        screen.err.print(f"[yellow]{more}{'' if out is None else escape(f': {out}/problems.jsonl')}[/yellow]")
    if check:
        table = Table("record", "field", "filled", "", "what", box=None, pad_edge=False)
        for f in fields:
            share = f"{f.filled / f.of:.0%}" if f.of else "-"
            table.add_row(f.record, f.field, f"{f.filled:,} / {f.of:,}", share, escape(_what(f)))
        screen.out.print(table)
    table = Table("found", "count", box=None, pad_edge=False)
    for name in ("questions", "traces", "unparsable", "empty", "labelled_steps", "problems"):
        table.add_row(_WORDS[name], f"{getattr(summary, name):,}")
    for name, counts in (("arm", summary.arms), ("model", summary.models)):
        for value, count in list(counts.items())[:12]:
            table.add_row(escape(f"  {name} {value}"), f"{count:,}")
    screen.out.print(table)
    if out is not None:
        screen.out.print(
            f"written to {escape(str(out))}; next: tracejury adjudicate {escape(str(out))}", soft_wrap=True
        )


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
        typer.echo(json.dumps([dict(zip(("name", "summary", "package"), row, strict=True)) for row in rows], indent=2))
        return
    from rich.table import Table

    from tracejury.console.screen import out

    table = Table("reader", "reads", "package", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    out.print(table)
