"""The viewer's pages as a static site that opens from disk: every page is rendered once and its links are followed."""

from __future__ import annotations

import hashlib
import json
import os.path
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from posixpath import relpath
from typing import NamedTuple
from urllib.parse import quote

from tracejury.console.viewer.ledger_view import LedgerView
from tracejury.console.viewer.pages import Pages
from tracejury.console.viewer.rendering import place
from tracejury.console.viewer.static_files import static_file
from tracejury.ledger import Ledger, Run, StepFilter, TraceFilter
from tracejury.storage import KeyValueStore

_UNSAFE = re.compile(r"[^\w.=&-]", re.ASCII)
_LONGEST = 80
_PATIENCE_S = 3_600.0
"""A page on disk does not come again: it waits for its figures."""


class _Address(NamedTuple):
    """A page of the site: its path and query, sorted."""

    path: str
    query: tuple[tuple[str, str], ...] = ()


class _Frontier:
    """The pages that links lead to, each once, in order of discovery. It is on disk, as there may be a million."""

    def __init__(self) -> None:
        self._pages = KeyValueStore[str]("page")
        self.count = 0

    def add(self, address: _Address) -> None:
        """Add a page, unless it was added before."""
        self.count += self._pages.add("page", json.dumps(address), "")

    def __iter__(self) -> Iterator[_Address]:
        """Yield every page, also those that are added meanwhile."""
        number = 0
        while entries := self._pages.after("page", number):
            for entry in entries:
                path, query = json.loads(entry.key)
                yield _Address(path, tuple((name, value) for name, value in query))
            number = entries[-1].number


def publish(ledger: Ledger, run: Run, out: Path, report_progress: Callable[[int, int], None] | None = None) -> int:
    """Write the run's pages into a folder, starting with its `index.html`.

    Args:
        ledger: The ledger.
        run: The run.
        out: The folder; files in it are overwritten, none is deleted.
        report_progress: Called after every page with (pages written, pages discovered).

    Returns:
        The number of pages.
    """
    site = _Site(ledger, run)
    for name in ("viewer.css", "viewer.js", "icon.svg"):
        target = out / "static" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(static_file(name)[0], encoding="utf-8")
    count = 0
    for name, html in site.pages():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(html, encoding="utf-8")
        count += 1
        if report_progress is not None:
            report_progress(count, site.frontier.count)
    return count


class _Site:
    def __init__(self, ledger: Ledger, run: Run) -> None:
        self.run = run
        self.root = place(run)
        self.at = _Address(self.root)
        self.frontier = _Frontier()
        self.frontier.add(self.at)
        self._pages = Pages(LedgerView(ledger, patience_s=_PATIENCE_S), self.link, static=True)

    def pages(self) -> Iterator[tuple[str, str]]:
        """Yield (file, HTML) for every page that can be reached."""
        for address in self.frontier:
            self.at = address
            yield self._file(address), self._render(address)

    def link(self, path: str, **query: object) -> str:
        """Return the relative address of another page, and add that page to the site."""
        if path.startswith("static/"):
            target = path
        else:
            pairs = tuple(sorted((k, str(v)) for k, v in query.items() if v not in (None, "", False)))
            # The first page of a list is the list.
            address = _Address(path, tuple(pair for pair in pairs if pair != ("page", "1")))
            self.frontier.add(address)
            target = self._file(address)
        return quote(relpath(target, os.path.dirname(self._file(self.at)) or "."))

    def _render(self, address: _Address) -> str:
        pages, run, query = self._pages, self.run, dict(address.query)
        match address.path.removeprefix(self.root).strip("/").split("/"):
            case [""]:
                return pages.run(run)
            case ["traces"]:
                return pages.traces(run, TraceFilter.model_validate(query))
            case ["traces", trace]:
                beside = query.get("beside")
                return pages.arms(run, trace, beside) if beside else pages.trace(run, trace, TraceFilter())
            case ["traces", trace, "timeline"]:
                return pages.timeline(run, trace)
            case ["steps"]:
                return pages.steps(run, StepFilter.model_validate(query))
            case ["traces", trace, "steps", number]:
                return self._step(trace, int(number))
            case ["judges"]:
                return pages.judges(run)
            case ["judges", "disagreements"]:
                return pages.disagreements(run, query)
            case ["sources"]:
                return pages.sources(run, query)
            case ["sources", evidence]:
                return pages.source(run, evidence, query)
        raise ValueError(f"the site has no page {address.path!r}")

    def _step(self, trace: str, number: int) -> str:
        try:
            return self._pages.step(self.run, trace, number, TraceFilter())
        except LookupError as error:
            return self._pages.problem("Not judged yet", str(error), self.run)

    def _file(self, address: _Address) -> str:
        path = address.path.removeprefix(self.root).strip("/") or "index"
        parts = [_name(part) for part in path.split("/")]
        if address.query:
            parts.append(_name("&".join(f"{k}={v}" for k, v in address.query)))
        return "/".join(parts) + ".html"


def _name(text: str) -> str:
    """Return a readable file name for any text, inside the folder; a changed name gets a hash to stay unique."""
    plain = _UNSAFE.sub("-", text).lstrip(".")[:_LONGEST]
    return plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
