"""MedlinePlus health topics (US National Library of Medicine), from the published XML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.files import existing_file, file_version
from tracejury.retrieval.sources.html_text import html_text
from tracejury.retrieval.sources.xml_files import parse_xml
from tracejury.traces import Problem


class MedlinePlus:
    """Health topics, patient level: one document a topic; names that a topic is also called serve as aliases.

    Args:
        path: `mplus_topics_YYYY-MM-DD.xml` from https://medlineplus.gov/xml.html.
        language: The topics' language.
    """

    name = "medlineplus"
    license = "public domain (NLM)"

    def __init__(self, path: str, language: str = "English") -> None:
        self._path = existing_file(path, "the health-topic XML from https://medlineplus.gov/xml.html")
        self._language = language
        self._aliases: dict[str, list[str]] = {}
        self.version = file_version(self._path)

    def documents(self) -> Iterator[Document | Problem]:
        """Yield the topics."""
        root = parse_xml(self._path.read_bytes(), self._path, "health-topics", "MedlinePlus health topics")
        if isinstance(root, Problem):
            yield root
            return
        for topic in root.iter("health-topic"):
            if topic.get("language", self._language) != self._language:
                continue
            title = topic.get("title", "")
            text = html_text(topic.findtext("full-summary") or "")[1]
            if not title or not text:
                where = title or topic.get("id", "?")
                reason = f"topic {where!r} has no title or no summary"
                yield Problem(file=str(self._path), reason=reason, hint="nothing to do: left out")
                continue
            self._aliases[title] = [t for a in topic.findall("also-called") if (t := (a.text or "").strip())]
            day = _iso(topic.get("date-created"))
            yield Document(
                source=self.name,
                title=title,
                text=text,
                citation=f"MedlinePlus, {title}. National Library of Medicine (US)" + (f", {day}" if day else ""),
                url=topic.get("url"),
                date=day,
                license=self.license,
                key=topic.get("id") or title,
            )

    def aliases(self) -> Mapping[str, list[str]]:
        """Return what topics are also called; known once the documents have been read."""
        return {title: names for title, names in self._aliases.items() if names}


def _iso(date: str | None) -> str | None:
    """Return MM/DD/YYYY as an ISO date."""
    parts = (date or "").split("/")
    return f"{parts[2]}-{parts[0]:0>2}-{parts[1]:0>2}" if len(parts) == 3 else date
