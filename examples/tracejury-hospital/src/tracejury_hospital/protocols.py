"""The hospital's protocols: one Markdown file each, its first line the title, its second the edition."""

from collections.abc import Iterator
from importlib.resources import files

from tracejury.retrieval import Document
from tracejury.traces import Problem


class Protocols:
    name = "st-elsewhere"
    license = "internal"
    version = "2026-10"

    def documents(self) -> Iterator[Document | Problem]:
        for file in sorted(files("tracejury_hospital").joinpath("protocols").iterdir(), key=lambda f: f.name):
            title, edition, text = file.read_text("utf-8").split("\n", 2)
            if not text.strip():
                yield Problem(file=str(file), reason="the protocol is empty", hint="write it, or remove the file")
                continue
            citation = f"St Elsewhere, {title.lstrip('# ')}, {edition}"
            year = edition.split()[-1]
            yield Document(source=self.name, title=title.lstrip("# "), text=text.strip(), citation=citation,
                           date=year, license=self.license, key=file.name)
