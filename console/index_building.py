"""Building an index from the command line: what each source is, its download, its progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracejury.console.progress import progress
from tracejury.console.screen import err
from tracejury.console.stages import resumable
from tracejury.retrieval import (
    BuildReport,
    EmptySourceError,
    Index,
    Readiness,
    ServiceError,
    SourceRecipe,
    Trust,
    announcement,
    fetch_corpus,
    load_reference_set,
    plan,
)


class Built(NamedTuple):
    """What was built, and what could not be."""

    reports: list[BuildReport]
    broken: list[str]


def planned_recipes(name: str, fetch: bool) -> list[SourceRecipe]:
    """Show what a set of references consists of; return the sources that can be indexed now.

    Args:
        name: The name of a shipped set, or a YAML file.
        fetch: Also return what has to be fetched first.
    """
    to_build = []
    waiting = 0
    for planned in plan(load_reference_set(name).sources):
        for line in planned.lines:
            err.print(line, soft_wrap=True)
        if planned.readiness is Readiness.HERE or (fetch and planned.readiness is Readiness.TO_FETCH):
            to_build.append(planned.recipe)
        waiting += planned.readiness is Readiness.TO_FETCH and not fetch
    if waiting:
        err.print(f"{waiting} to fetch from their publishers: give the same command with --fetch", soft_wrap=True)
    return to_build


def build_recipes(
    index: Index, recipes: Sequence[SourceRecipe], *, announce: bool, force: bool, trust: Trust | None
) -> Built:
    """Fetch and index sources one after another; one that gives no passage is named and costs only itself.

    Args:
        index: The index.
        recipes: The sources.
        announce: Say what each source is before it is fetched.
        force: Read a source even if its version is the one that is indexed.
        trust: What the user says of all of them.
    """
    built = Built([], [])
    for recipe in recipes:
        source = recipe.make()
        if announce:
            for line in announcement(source):
                err.print(line, soft_wrap=True)
        try:
            with progress(f"{recipe.title}: MB fetched") as bar:
                fetch_corpus(source, bar.update)
            with resumable(index.storage.local), progress(f"{recipe.title}: passages") as bar:
                built.reports.append(index.build(recipe, force=force, trust=trust, progress=bar.update))
        except (EmptySourceError, ServiceError) as broken:
            built.broken.append(str(broken))
    return built
