"""Abstracts from PubMed through Biopython's Entrez, by query or by PMID, kept in a cache."""

from __future__ import annotations

import hashlib
import io
import json
import os
import urllib.error
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from tracejury.models import cache_dir
from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.web import ServiceError
from tracejury.traces import Problem

_PAGE = 200
_DEFAULT = 1000
_MOST = 9999
"""PubMed's esearch gives no more PMIDs than this."""
_BASE = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"


class PubMed:
    """Abstracts with title, journal, year, PMID and DOI. What is retracted is marked superseded by its retraction.

    Each build asks which of its abstracts have been retracted, those in the cache included; a retraction makes another
    version, so that the index takes it over.

    Args:
        query: A PubMed query; or give `pmids`.
        pmids: PMIDs, as a list or a file with one a line.
        email: Your contact address, which NCBI asks for (or the environment variable `NCBI_EMAIL`).
        limit: Abstracts of the query at most, newest first. None: 1,000; a problem says where there are more.
        base_url: The address of the E-utilities.
        api_key_env: The environment variable with an NCBI key (10 requests a second instead of 3); may be unset.
        cache: Folder for fetched abstracts; None: the user's cache.
    """

    name = "pubmed"
    license = "NLM terms; abstracts may be under their publishers' copyright"

    def __init__(
        self,
        query: str = "",
        pmids: Sequence[int | str] | str | int = (),
        email: str = "",
        limit: int | None = None,
        base_url: str = _BASE,
        api_key_env: str = "NCBI_API_KEY",
        cache: str | None = None,
    ) -> None:
        if bool(query) == bool(pmids):
            raise ValueError("pubmed: give a query or pmids: --set query='...' or --set pmids=FILE")
        self._email = email or os.environ.get("NCBI_EMAIL", "")
        if "@" not in self._email:
            raise ValueError("pubmed: NCBI asks for a contact address: --set email=you@example.org, or NCBI_EMAIL")
        if limit is not None and not 0 < limit <= _MOST:
            raise ValueError(f"pubmed: limit={limit}: a query gives up to {_MOST:,} PMIDs; narrow it, or give pmids")
        self._query, self._limit = query, limit
        self._listed_pmids = _listed(pmids)
        self._retractions_unchecked = ""
        self._total = len(self._listed_pmids)
        self._base = base_url.rstrip("/")
        self._key = os.environ.get(api_key_env)
        self._cache = Path(cache).expanduser() if cache else cache_dir() / "pubmed"

    @cached_property
    def version(self) -> str:
        """A hash of the PMIDs: a query that finds something new is another version."""
        parts = [*self._pmids, *(f"retracted {pmid}" for pmid in sorted(self._retracted))]
        return "pmids:" + hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]

    def documents(self) -> Iterator[Document | Problem]:
        """Yield the abstracts; those that are in the cache cost no request."""
        for start in range(0, len(self._pmids), _PAGE):
            page = self._pmids[start : start + _PAGE]
            records = {p: r for p in page if (r := self._cached(p)) is not None and not self._is_outdated(p, r)}
            missing = [p for p in page if p not in records]
            records |= self._fetched(missing) if missing else {}
            for pmid in page:
                yield _document(pmid, records.get(pmid), pmid in self._retracted)
        if self._retractions_unchecked:
            hint = "build again when it can be reached"
            yield Problem(file=self._base, reason=f"retractions: {self._retractions_unchecked}", hint=hint)
        if self._limit is None and self._total > len(self._pmids):
            reason = f"{self._total:,} abstracts match {self._query!r}; the newest {len(self._pmids):,} are taken"
            hint = f"say how many you want: --set limit={min(self._total, _MOST)}"
            yield Problem(file=self._base, reason=reason, hint=hint)
        if not self._pmids:
            yield Problem(file=self._base, reason=f"nothing found for {self._query!r}", hint="try the query in PubMed")

    @cached_property
    def _pmids(self) -> list[str]:
        if self._listed_pmids:
            return self._listed_pmids[: self._limit]
        most = self._limit or _DEFAULT
        reply = self._ask("esearch", {"term": self._query, "retmax": most, "retmode": "json", "sort": "pub_date"})
        try:
            result = json.loads(reply)["esearchresult"]
            ids: list[str] = result["idlist"]
            self._total = int(result.get("count", len(ids)))
        except (ValueError, KeyError) as bad:
            raise ServiceError(f"{self._base}/esearch.fcgi: not the reply of an E-utility: {reply[:200]!r}") from bad
        return ids

    @cached_property
    def _retracted(self) -> frozenset[str]:
        """The PMIDs that PubMed says are retracted; where it cannot be reached, those that the cache knows of."""
        retracted: set[str] = set()
        try:
            for start in range(0, len(self._pmids), _PAGE):
                listed = " OR ".join(f"{pmid}[uid]" for pmid in self._pmids[start : start + _PAGE])
                term = f"retracted publication[pt] AND ({listed})"
                reply = self._ask("esearch", {"term": term, "retmax": _PAGE, "retmode": "json"})
                retracted.update(json.loads(reply)["esearchresult"]["idlist"])
        except (ServiceError, ValueError, KeyError) as unanswered:
            self._retractions_unchecked = str(unanswered)
            return frozenset(p for p in self._pmids if (self._cached(p) or {}).get("RIN"))
        return frozenset(retracted)

    def _is_outdated(self, pmid: str, record: Mapping[str, Any]) -> bool:
        return pmid in self._retracted and not record.get("RIN")

    def _fetched(self, pmids: Sequence[str]) -> dict[str, dict[str, Any]]:
        from Bio import Medline

        reply = self._ask("efetch", {"id": ",".join(pmids), "rettype": "medline", "retmode": "text"})
        records = {str(r["PMID"]): dict(r) for r in Medline.parse(io.StringIO(reply)) if r.get("PMID")}
        self._cache.mkdir(parents=True, exist_ok=True)
        for pmid, record in records.items():
            (self._cache / f"{pmid}.json").write_text(json.dumps(record), "utf-8")
        return records

    def _cached(self, pmid: str) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads((self._cache / f"{pmid}.json").read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return record

    def _ask(self, utility: str, query: Mapping[str, str | int]) -> str:
        try:
            from Bio import Entrez
        except ModuleNotFoundError:
            raise ModuleNotFoundError("pubmed needs Biopython: pip install 'tracejury[sources]'") from None
        Entrez.email, Entrez.api_key, Entrez.tool = self._email, self._key, "tracejury"
        # Entrez.esearch and efetch are these two calls with NCBI's address built in; a mirror has another.
        request = Entrez._build_request(f"{self._base}/{utility}.fcgi", {"db": "pubmed", **query})
        try:
            with Entrez._open(request) as reply:
                raw = reply.read()
        except urllib.error.HTTPError as refused:
            raise ServiceError(
                f"{self._base}/{utility}.fcgi answered {refused.code}; try later, or give an API key"
            ) from refused
        except OSError as away:
            raise ServiceError(f"{self._base} cannot be reached: {away}; what is cached stays usable") from away
        return raw if isinstance(raw, str) else raw.decode("utf-8")


def _listed(pmids: Sequence[int | str] | str | int) -> list[str]:
    """Return PMIDs from a list, from words, from a file with one a line, or the only one."""
    pmids = str(pmids) if isinstance(pmids, int) else pmids
    if isinstance(pmids, str) and pmids and not pmids.replace(",", " ").replace(" ", "").isdigit():
        path = Path(pmids).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file; give PMIDs, or a file with one a line")
        pmids = path.read_text("utf-8")
    listed = pmids.replace(",", " ").split() if isinstance(pmids, str) else [str(p) for p in pmids]
    wrong = next((p for p in listed if not p.isdigit()), None)
    if wrong is not None:
        raise ValueError(f"pubmed: {wrong!r} is not a PMID")
    return list(dict.fromkeys(listed))


def _document(pmid: str, record: Mapping[str, Any] | None, is_retracted: bool) -> Document | Problem:
    if record is None:
        return Problem(file=f"PMID {pmid}", reason="PubMed has no such record", hint="check the number")
    if not record.get("AB"):
        return Problem(file=f"PMID {pmid}", reason="has no abstract", hint="nothing to do: left out")
    title = str(record.get("TI", f"PMID {pmid}"))
    doi = next(
        (i.split(" ")[0] for i in [*record.get("AID", []), str(record.get("LID", ""))] if i.endswith("[doi]")), None
    )
    authors = record.get("AU", [])
    who = f"{authors[0]} et al." if len(authors) > 1 else "".join(authors)
    year = str(record.get("DP", ""))
    parts = [
        who,
        title,
        f"{record.get('TA') or record.get('JT') or ''} {year}".strip(),
        f"PMID {pmid}",
        f"doi:{doi}" if doi else "",
    ]
    retraction = record.get("RIN")
    return Document(
        source=PubMed.name,
        title=title,
        text=str(record["AB"]),
        citation=". ".join(p.rstrip(".") for p in parts if p),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
        date=year or None,
        license=PubMed.license,
        superseded_by=f"retracted: {retraction[0] if isinstance(retraction, list) else retraction}"
        if retraction
        else ("retracted" if is_retracted else None),
        key=pmid,
    )
