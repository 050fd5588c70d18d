"""What a user should know of a source before it is read or fetched."""

from __future__ import annotations

from pathlib import Path

from tracejury.retrieval.records import Source
from tracejury.retrieval.sources.corpus import Corpus
from tracejury.retrieval.sources.remote import is_address, look_at


def announcement(source: Source) -> tuple[str, ...]:
    """Return lines on publisher, licence, redistribution, edition, date and size; none for sources without a corpus.

    For an address the server is asked for size and date, and for nothing of the content.

    Raises:
        ServiceError: The server of an address cannot be reached.
    """
    if not isinstance(source, Corpus):
        return ()
    facts = source.facts
    lines = [
        f"{source.name}: {facts.publisher}",
        f"  licence: {source.license}; passing it on: {facts.redistribution}",
        f"  edition: {source.edition or 'as the files say'}; {_size(source)}",
    ]
    if not facts.is_shape_tested:
        lines.append(
            "  shape untested: this reader was not held against a file of the publisher; look at what it finds"
        )
    return tuple(lines)


def _size(source: Corpus) -> str:
    if is_address(source.address):
        remote = look_at(source.address)
        size = f"{remote.bytes / 1e6:,.1f} MB to fetch" if remote.bytes is not None else "size not said"
        resumes = "a broken download goes on" if remote.is_resumable else "a broken download begins anew"
        return f"dated {remote.date or 'not said'}; {size}; {resumes}"
    path = Path(source.address).expanduser()
    files = [f for f in path.rglob("*") if f.is_file()] if path.is_dir() else [path]
    return f"{sum(f.stat().st_size for f in files) / 1e6:,.1f} MB in {len(files)} files here"
