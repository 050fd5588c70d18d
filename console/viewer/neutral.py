"""Neutralise any text for display: control characters and bidi marks become visible, links are checked.

Jinja escapes HTML; this handles what escaping leaves alone.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_STEERING = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)
_DOI = re.compile(r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_PMID = re.compile(r"pmid:?\s*(\d{1,8})", re.IGNORECASE)


def neutral(text: str) -> str:
    """Return `text` with bidi marks, control characters and lone surrogates spelt out, as in `[U+202E]`."""
    return _STEERING.sub(lambda match: f"[U+{ord(match[0]):04X}]", text.replace("\r\n", "\n"))


def safe_url(url: str | None) -> str | None:
    """Return an http, https, DOI or PMID address as a link, None for anything else (`javascript:`, `data:`, ...)."""
    if not url or _STEERING.search(url):
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
