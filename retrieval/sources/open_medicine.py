"""Guideline summaries and differentials that the PyPI package `open-medicine` carries inside (MIT)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from tracejury.retrieval.records import Document
from tracejury.traces import Problem

_TERMS = ("drugs", "diseases", "labs", "procedures")


class OpenMedicine:
    """43 guideline summaries, each with DOI, year and organisation, and 14 differential diagnoses."""

    name = "open-medicine"
    license = "MIT"

    def __init__(self, differentials: bool = True) -> None:
        self.version = version("open-medicine")
        self._differentials = differentials
        self._root = files("open_medicine")

    def documents(self) -> Iterator[Document | Problem]:
        """Yield one document a guideline section, then one a diagnosis of a differential."""
        folder = self._root / "guidelines"
        for guideline in json.loads((folder / "registry.json").read_text("utf-8")):
            for section in guideline["sections"]:
                path = folder / "content" / guideline["id"] / f"{section}.md"
                if not path.is_file():
                    yield Problem(
                        file=str(path),
                        reason="the registry names a section that the package lacks",
                        hint="reinstall open-medicine",
                    )
                    continue
                yield _section(guideline, section, path.read_text("utf-8"))
        if self._differentials:
            data = self._root / "mcp" / "differentials" / "data"
            for path in sorted(data.iterdir(), key=lambda p: p.name):
                if path.name.endswith(".json"):
                    yield from _differential(json.loads(path.read_text("utf-8")))

    def aliases(self) -> Mapping[str, list[str]]:
        """Return each drug, disease, test and procedure with its other names (brands, abbreviations)."""
        names: dict[str, list[str]] = {}
        for kind in _TERMS:
            path = self._root / "graphrag" / "terminology" / f"{kind}.json"
            if path.is_file():
                for name, entry in json.loads(path.read_text("utf-8")).items():
                    names[name] = [a for a in entry.get("aliases", []) if "_" not in a]
        return names


def _section(guideline: Mapping[str, Any], section: str, text: str) -> Document:
    heading = re.match(r"# (.+)", text)
    return Document(
        source=OpenMedicine.name,
        title=heading[1].strip() if heading else f"{guideline['title']}: {section.replace('_', ' ')}",
        text=text,
        citation=f"{guideline['organization']}, {guideline['title']}, {guideline['year']}, doi:{guideline['doi']}"
        " (summary in open-medicine)",
        url=f"https://doi.org/{guideline['doi']}",
        date=str(guideline["year"]),
        license=OpenMedicine.license,
        key=f"{guideline['id']}/{section}",
    )


def _differential(page: Mapping[str, Any]) -> Iterator[Document]:
    for diagnosis in page["diagnoses"]:
        # Calculators and links are names inside that package, not clinical statements.
        tests = [t for t in diagnosis.get("recommended_tests", []) if not t.startswith("calculate_")]
        parts = [
            f"{diagnosis['name']} in the differential diagnosis of {page['title'].split(' Different')[0].lower()}."
        ]
        for heading, items in (
            ("Key features", diagnosis.get("key_features")),
            ("Red flags", diagnosis.get("red_flags")),
            ("Recommended tests", tests),
        ):
            if items:
                parts.append(f"{heading}: {'; '.join(items)}.")
        yield Document(
            source=OpenMedicine.name,
            title=f"{page['title']}: {diagnosis['name']}",
            text="\n".join(parts),
            citation=f"{page['source_description']} doi:{page['source_doi']} (differential in open-medicine)",
            url=f"https://doi.org/{page['source_doi']}",
            license=OpenMedicine.license,
            key=f"differential/{page['differential_id']}/{diagnosis['name']}",
        )
