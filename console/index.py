"""`tracejury index ...`: build, search and check the index of clinical references."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tracejury.console.failing import Exit, explained, fail
from tracejury.console.neutral import print_json
from tracejury.console.options import IndexPath, Json, setting

if TYPE_CHECKING:
    from tracejury.retrieval import BuildReport, Index, IndexManifest

app = typer.Typer(no_args_is_help=True, help="Build, search and check the index of clinical references.")

Names = Annotated[
    list[str] | None, typer.Argument(help="Index these: registered sources (`tracejury index sources`) or YAML files.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a parameter of the source. Repeatable.", show_default=False),
]
Embedder = Annotated[
    str | None,
    typer.Option(
        help="Embed with minilm, mpnet, medcpt, hub:PASSAGES[,QUERIES], http://HOST/v1#MODEL or st:NAME. "
        "The first build fixes it. Default: minilm",
        show_default=False,
    ),
]


@app.command()
def build(
    names: Names = None,
    index: IndexPath = None,
    settings: Settings = None,
    recipe: Annotated[
        str | None, typer.Option(help="Index a set of references: usmle, or a YAML file.", show_default=False)
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Fetch what the recipe takes from publishers and is not here yet.")
    ] = False,
    embedder: Embedder = None,
    force: Annotated[
        bool, typer.Option("--force", help="Read sources again even if their version has not changed.")
    ] = False,
    trust: Annotated[
        str | None,
        typer.Option(
            help="Vouch for these sources (full), or show their passages only (listed). Default: full for references "
            "that ship, listed for files, folders and other packages' sources",
            show_default=False,
        ),
    ] = None,
    air_gapped: Annotated[bool, typer.Option("--air-gapped", help="Refuse every address but loopback.")] = False,
    as_json: Json = False,
) -> None:
    """Index knowledge sources, or bring them up to date.

    A build that was interrupted continues where it stopped; a build of an unchanged source does nothing.

    Example: tracejury index build open-medicine
    Example: tracejury index build --recipe usmle --fetch
    Example: tracejury index build documents --set path=./protocols --set name=hospital --trust full
    """
    from tracejury.console.index_building import build_recipes, planned_recipes
    from tracejury.models import close_network
    from tracejury.retrieval import Trust, load_recipe

    if trust not in (None, *Trust):
        raise fail(f"--trust {trust}: choose full or listed")
    if bool(names) == bool(recipe):
        raise fail("name sources to index, or give --recipe usmle")
    if recipe and settings:
        raise fail("--set goes with one source; write the parameters into a copy of the recipe's file")
    if air_gapped:
        close_network()
    with explained():
        opened = _open(index, embedder)
        params = dict(map(setting, settings or ()))
        recipes = planned_recipes(recipe, fetch) if recipe else [load_recipe(name, params) for name in names or ()]
        stated = Trust(trust) if trust else None
        reports, broken = build_recipes(opened, recipes, announce=not recipe, force=force, trust=stated)
    if as_json:
        print_json(json.dumps([r.model_dump(mode="json") for r in reports], indent=2))
    else:
        for report in reports:
            _say(report)
    for message in broken:
        fail(message)
    if broken or any(r.problems for r in reports):
        raise typer.Exit(Exit.SOME_FAILED)


@app.command()
def info(index: IndexPath = None, as_json: Json = False) -> None:
    """Show what is in the index: sources, licences, versions, passages, build times.

    Example: tracejury index info
    """
    from tracejury.console.screen import marked, out
    from tracejury.console.table import Table

    with explained():
        opened = _open(index)
        manifest = opened.manifest()
    if as_json:
        print_json(manifest.model_dump_json(indent=2))
        return
    where = marked("[bold]{}[/]: embedder {}, {} dimensions", opened.storage.where, manifest.embedder, manifest.dim)
    out.print(where, soft_wrap=True)
    table = Table("source", "passages", "documents", "trust", "licence", "version", "built", "problems")
    for e in manifest.sources.values():
        counts = f"{e.passages:,}", f"{e.documents:,}"
        about = e.license, e.version, e.built[:16], str(e.problems or "")
        table.add_row(e.name, *counts, e.trust, *about)
    out.print(table if manifest.sources else "The index is empty. Build it: tracejury index build open-medicine")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Search for these words.")],
    index: IndexPath = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Search only this source. Repeatable.", show_default=False)
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="Show this many passages.")] = 5,
    finder: Annotated[str, typer.Option(help="Rank by fused, dense or bm25.")] = "fused",
    since: Annotated[str | None, typer.Option(help="Leave out passages dated before this year or ISO date.")] = None,
    rerank: Annotated[
        str | None, typer.Option(help="Rerank with this cross-encoder: the folder of an ONNX model, or a name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Search the index as the judges' cases do, and show the passages with their citations.

    Example: tracejury index search "first-line drug in anaphylaxis"
    """
    from tracejury.retrieval import Finder, Query

    if not query.strip():
        raise fail('give words to search for, such as tracejury index search "first-line drug in anaphylaxis"')
    if finder not in ("fused", "dense", "bm25"):
        raise fail(f"--finder {finder}: choose fused, dense or bm25")
    with explained():
        opened = _open(index)
        if not opened.manifest().sources:
            raise ValueError(f"{opened.storage.where} is empty: run `tracejury index build open-medicine` first")
        alone: Literal["dense", "bm25"] = "bm25" if finder == "bm25" else "dense"
        results = Finder(
            opened, source or (), k, finder == "fused", finder=alone, since=since, rerank=rerank, per_document=1
        ).find([Query(text=query)])[0]
    if as_json:
        print_json(json.dumps([h.model_dump(mode="json") for h in results.hits], indent=2, ensure_ascii=False))
        return
    from tracejury.console.hits import show_hits

    show_hits(results.hits, query)


@app.command()
def verify(
    index: IndexPath = None,
    repair: Annotated[bool, typer.Option("--repair", help="Rebuild what is broken.")] = False,
    as_json: Json = False,
) -> None:
    """Check that every passage of the index is there, unchanged and findable, for instance after a crash.

    The exit code is 2 if something is broken and was not repaired.

    Example: tracejury index verify --repair
    """
    from tracejury.console.progress import live_line
    from tracejury.console.screen import marked, out

    with explained():
        opened = _open(index)
        with live_line(lambda: "checking every passage"):
            faults = opened.verify(repair=repair)
    if as_json:
        print_json(json.dumps([f.model_dump(mode="json") for f in faults], indent=2))
    else:
        for fault in faults:
            colour = "red" if fault.serious and not fault.mended else "yellow"
            description = fault.what + (f" -> {fault.mended}" if fault.mended else "")
            out.print(marked(f"[{colour}]{{}}[/]: {{}}", fault.source, description), soft_wrap=True)
        if not any(f.serious for f in faults):
            passages = sum(e.passages for e in opened.manifest().sources.values())
            out.print(f"whole: {len(opened.manifest().sources)} sources, {passages:,} passages")
        elif not repair:
            out.print("Next: tracejury index verify --repair")
    if any(f.serious and not f.mended for f in faults):
        raise typer.Exit(Exit.SOME_FAILED)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="Compare from this manifest.json or index folder.")],
    after: Annotated[Path, typer.Argument(help="Compare to this manifest.json or index folder.")],
    as_json: Json = False,
) -> None:
    """Show what changed between two manifests. A copy of `manifest.json` is enough for a later comparison.

    Example: tracejury index diff manifest-of-march.json tracejury.index
    """
    from tracejury.console.screen import marked, out
    from tracejury.retrieval import diff as changes_between

    with explained():
        changes = changes_between(_manifest(before), _manifest(after))
    if as_json:
        print_json(json.dumps([c.model_dump(mode="json") for c in changes], indent=2))
        return
    for change in changes:
        out.print(marked("[bold]{}[/] {}", change.name, change.change))
        for field, (old, new) in change.fields.items():
            out.print(f"  {field}: {old} -> {new}", soft_wrap=True)
    if not changes:
        out.print("no difference")


@app.command()
def remove(name: Annotated[str, typer.Argument(help="Remove this source.")], index: IndexPath = None) -> None:
    """Remove a source from the index.

    Example: tracejury index remove medquad
    """
    with explained():
        opened = _open(index)
        opened.entry(name)
        opened.remove(name)


@app.command()
def sources(index: IndexPath = None, as_json: Json = False) -> None:
    """List every installed knowledge source with licence and version, and what is indexed of it.

    Example: tracejury index sources
    """
    from tracejury.console.screen import out
    from tracejury.console.table import Table
    from tracejury.retrieval import list_sources

    with explained():
        listed = list_sources(_open(index).manifest())
    if as_json:
        print_json(json.dumps([s.model_dump(mode="json") for s in listed], indent=2))
        return
    table = Table("source", "passages", "trust", "licence", "version", "package", "parameters")
    for s in listed:
        passages = f"{s.passages:,}" if s.passages is not None else "-"
        about = (s.license, s.version or "-", s.package, ", ".join(s.parameters))
        table.add_row(s.name, passages, s.trust, *about)
    out.print(table)
    out.print("Index one: tracejury index build NAME [--set KEY=VALUE]. Write your own: docs/add-a-knowledge-source.md")


def _open(index: Path | None, embedder: str | None = None) -> Index:
    from tracejury.retrieval import Index

    return Index.open(index, embedder)


def _manifest(path: Path) -> IndexManifest:
    from tracejury.retrieval import IndexManifest

    file = path / "manifest.json" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such manifest; give a manifest.json or the folder of an index")
    try:
        return IndexManifest.model_validate_json(file.read_text("utf-8"))
    except ValueError as bad:
        raise ValueError(f"{file} is not the manifest of an index: {bad}") from bad


def _say(report: BuildReport) -> None:
    from tracejury.console.screen import err, marked, out
    from tracejury.retrieval import Trust

    name = report.source
    if report.unchanged:
        out.print(marked("[bold]{}[/]: up to date, {} passages", name, f"{report.passages:,}"))
    else:
        renewed = f"{report.renewed:,} brought up to date, " if report.renewed else ""
        taken_up = f", {report.resumed:,} of them by the interrupted build" if report.resumed else ""
        counts = (
            f"{report.passages:,} passages: {report.added:,} added{taken_up}, "
            f"{report.removed:,} removed, {renewed}{report.kept_passages:,} kept, in {report.seconds:.0f} s"
        )
        out.print(marked("[bold]{}[/]: {}", name, counts))
    if report.trust is Trust.LISTED:
        out.print(
            f"  {name} is listed: its passages are found and shown, and ground no verdict. "
            "To vouch for it, give the same command with --trust full.",
            soft_wrap=True,
        )
    for problem in report.problems[:20]:
        err.print(f"  {problem}", style="yellow", soft_wrap=True)
    if len(report.problems) > 20:
        err.print(f"  and {len(report.problems) - 20} more; --json lists all", style="yellow")
