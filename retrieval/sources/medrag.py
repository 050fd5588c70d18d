"""The chunks of MedRAG (Xiong et al. 2024): JSON lines with id, title and content, a file or a folder of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.archives import members
from tracejury.retrieval.sources.corpus import Corpus, CorpusFacts
from tracejury.traces import Problem


class MedRag(Corpus):
    """MedRAG's textbooks, StatPearls, PubMed or Wikipedia, whichever the path holds.

    Args:
        path: A `.jsonl` file, a folder or an archive of them, or an address.
        name: What the source is called in the index.
        license: The licence of the corpus that the chunks were cut from.
        edition: The release, for citations.
    """

    facts = CorpusFacts("MedRAG", "by the licence of the corpus that the chunks were cut from", is_shape_tested=False)

    def __init__(
        self, path: str, name: str = "medrag", license: str = "each corpus's own", edition: str | None = None
    ) -> None:
        super().__init__(path, name, edition)
        self.license = license

    def documents(self) -> Iterator[Document | Problem]:
        """Stream the chunks; a line without `id` or `content` costs only itself."""
        for member in members(self.path, (".jsonl",)):
            if isinstance(member, Problem):
                yield member
                continue
            for number, line in enumerate(member.content.splitlines(), 1):
                if line.strip():
                    yield self._chunk(line, member.name, number)

    def _chunk(self, line: bytes, file: str, number: int) -> Document | Problem:
        try:
            row = json.loads(line)
            key, title, text = str(row["id"]), str(row.get("title") or ""), str(row["content"])
        except UnicodeDecodeError as bad:
            return Problem(file=file, line=number, reason=f"not UTF-8: {bad}", hint="save the file as UTF-8")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as bad:
            reason, hint = f"no chunk of MedRAG: {type(bad).__name__}: {bad}", "a line has `id`, `title` and `content`"
            return Problem(file=file, line=number, reason=reason, hint=hint)
        where = f"MedRAG {self.edition}" if self.edition else "MedRAG"
        pmid = row.get("PMID")
        citation = ", ".join(part for part in (title, f"{where}, {key}", f"PMID {pmid}" if pmid else "") if part)
        return Document(source=self.name, title=title, text=text, citation=citation, license=self.license, key=key)
