"""Addresses from outside: which of them become links."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from tracejury.console.neutral import STEERING

_DOI = re.compile(r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_PMID = re.compile(r"pmid:?\s*(\d{1,8})", re.IGNORECASE)


def safe_url(url: str | None) -> str | None:
    """Return an http, https, DOI or PMID address as a link, None for anything else (`javascript:`, `data:`, ...)."""
    if not url or STEERING.search(url):
        return None
    url = url.strip()
    if doi := _DOI.fullmatch(url):
        return "https://doi.org/" + quote(doi[1].rstrip(".,;"), safe="/:;()")
    if pmid := _PMID.fullmatch(url):
        return f"https://pubmed.ncbi.nlm.nih.gov/{pmid[1]}/"
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc and not parts.username else None
