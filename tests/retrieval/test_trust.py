"""Who vouches for a source: references that ship are trusted, what a user adds is listed until the user says more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from word_vectors import WordVectors

from tracejury.retrieval import (
    BuildReport,
    Document,
    Finder,
    Index,
    Query,
    SourceRecipe,
    Trust,
    diff,
    load_recipe,
    source_trust,
)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    (tmp_path / "ward").mkdir()
    (tmp_path / "ward" / "falls.md").write_text("# Falls\n\nAssess every patient on admission.")
    return Index.open(tmp_path / "index", WordVectors())


def build(index: Index, folder: Path, trust: Trust | None = None) -> BuildReport:
    return index.build("documents", {"path": str(folder), "name": "ward"}, trust=trust)


def found(index: Index) -> set[Trust]:
    return {hit.passage.trust for hit in Finder(index).find([Query(text="assess every patient")])[0].hits}


@pytest.mark.parametrize(
    ("factory", "trust"),
    [
        ("open-medicine", Trust.FULL),
        ("reference-ranges", Trust.FULL),
        ("pubmed", Trust.FULL),
        ("documents", Trust.LISTED),
        ("csv", Trust.LISTED),
        ("jsonl", Trust.LISTED),
        ("a-strangers-source", Trust.LISTED),
        ("", Trust.LISTED),
    ],
)
def test_only_references_that_ship_are_trusted_unasked(factory: str, trust: Trust) -> None:
    assert source_trust(factory) is trust
    assert source_trust(factory, Trust.FULL) is Trust.FULL


def test_vouching_needs_no_new_build_and_is_kept_for_this_folder_alone(index: Index, tmp_path: Path) -> None:
    report = build(index, tmp_path / "ward")
    assert (report.trust, found(index)) == (Trust.LISTED, {Trust.LISTED})
    before = index.manifest()
    report = build(index, tmp_path / "ward", Trust.FULL)
    assert (report.unchanged, report.trust, found(index)) == (True, Trust.FULL, {Trust.FULL})
    assert [change.fields for change in diff(before, index.manifest())] == [{"trust": (Trust.LISTED, Trust.FULL)}]
    (tmp_path / "ward" / "falls.md").write_text("# Falls\n\nAssess every patient each day.")
    assert build(index, tmp_path / "ward").trust is Trust.FULL
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "falls.md").write_text("# Falls\n\nAssess every patient never.")
    assert build(index, tmp_path / "other").trust is Trust.LISTED


def test_a_recipe_says_it_and_an_object_says_nothing(index: Index, tmp_path: Path) -> None:
    recipe = tmp_path / "ward.yaml"
    recipe.write_text(f"source: documents\ntrust: full\nparams: {{path: {tmp_path / 'ward'}, name: ward}}\n")
    assert load_recipe(str(recipe)).trust is Trust.FULL
    assert index.build(str(recipe)).trust is Trust.FULL
    assert SourceRecipe().trust is None
    assert index.build(Claiming()).trust is Trust.LISTED


class Claiming:
    """A source in code that would vouch for itself."""

    name, license, version, trust = "claiming", "test", "1", "full"

    def documents(self) -> Iterator[Document]:
        yield Document(source="claiming", title="t", text="A text of its own.", citation="c", license="test")
