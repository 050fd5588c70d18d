"""Sets of references by name: which sources are indexed together, and what is to be known of each before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from tracejury.configs.loading import ConfigKind, open_config
from tracejury.retrieval.announcing import announcement
from tracejury.retrieval.recipes import SourceRecipe
from tracejury.retrieval.records import Source
from tracejury.retrieval.sources.corpus import Corpus
from tracejury.retrieval.sources.remote import is_address, is_here, local_copy
from tracejury.retrieval.sources.web import ServiceError
from tracejury.traces import PluginError, Record

REFERENCE_SETS = ConfigKind("recipes", "recipe", hint="give `sources`, each with `source` and `params`")


class ReferenceSet(Record):
    """Sources that are indexed together."""

    sources: tuple[SourceRecipe, ...]


class Readiness(StrEnum):
    """Whether a source can be indexed now."""

    HERE = "here"
    TO_FETCH = "to fetch"
    UNUSABLE = "unusable"
    """A package or a file is missing, or the publisher's server cannot be reached."""


class PlannedSource(Record):
    """A source of a set, as it stands."""

    recipe: SourceRecipe
    readiness: Readiness
    lines: tuple[str, ...]
    """Publisher, licence, redistribution, edition, date and size; or why it cannot be used."""


def load_reference_set(name: str) -> ReferenceSet:
    """Read a set: the name of a shipped one (`tracejury/configs/recipes/`) or a YAML file.

    Raises:
        ValueError: The file is no set; the message names the file, the line and the field.
    """
    return open_config(REFERENCE_SETS, name).record(ReferenceSet)


def plan(recipes: Iterable[SourceRecipe]) -> Iterator[PlannedSource]:
    """Look at each source: what it is, and whether it can be indexed now. Nothing of the content is fetched."""
    for recipe in recipes:
        try:
            source = recipe.make()
            lines = announcement(source) or (f"{source.name}: licence: {source.license}; edition: {source.version}",)
            readiness = Readiness.HERE if _is_here(source) else Readiness.TO_FETCH
        except (ImportError, OSError, PluginError, ServiceError, ValueError) as reason:
            readiness, lines = Readiness.UNUSABLE, (f"{recipe.title}: left out: {reason}",)
        yield PlannedSource(recipe=recipe, readiness=readiness, lines=lines)


def fetch_corpus(source: Source, report: Callable[[int, int | None], None]) -> None:
    """Fetch the files of a corpus that has an address; do nothing for other sources.

    Args:
        source: The source.
        report: Called with the megabytes that are here, and in all where the server says so.

    Raises:
        ServiceError: The server cannot be reached, or refuses.
    """
    if isinstance(source, Corpus) and is_address(source.address):
        local_copy(source.address, report)


def _is_here(source: Source) -> bool:
    return not isinstance(source, Corpus) or not is_address(source.address) or is_here(source.address)
