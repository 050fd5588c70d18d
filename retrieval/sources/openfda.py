"""Drug labels from openFDA (api.fda.gov): sections of the label as documents, brand and generic names as aliases."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from tracejury.retrieval.records import Document
from tracejury.retrieval.sources.web import get_json
from tracejury.traces import Problem

SECTIONS = (
    "boxed_warning",
    "indications_and_usage",
    "dosage_and_administration",
    "contraindications",
    "warnings_and_cautions",
    "warnings",
    "precautions",
    "adverse_reactions",
    "drug_interactions",
    "use_in_specific_populations",
    "pregnancy",
    "pediatric_use",
    "geriatric_use",
    "overdosage",
    "mechanism_of_action",
)
_PAGE = 100
_DEFAULT = 1000
_FARTHEST = 25_000
"""openFDA does not page beyond this."""


class OpenFda:
    """Labels that a search finds, newest first.

    Args:
        search: An openFDA query, for instance `openfda.generic_name:"warfarin"`.
        limit: Labels at most. None: 1,000; a problem says where there are more.
        base_url: The service's address.
        api_key_env: The environment variable that holds an API key (raises the daily limit); may be unset.
    """

    name = "openfda"
    license = "public domain (FDA, CC0)"

    def __init__(
        self,
        search: str,
        limit: int | None = None,
        base_url: str = "https://api.fda.gov",
        api_key_env: str = "OPENFDA_API_KEY",
    ) -> None:
        if limit is not None and not 0 < limit <= _FARTHEST:
            raise ValueError(f"limit={limit}: openFDA pages up to {_FARTHEST:,} labels; narrow the search")
        self._search, self._limit, self._limit_is_given = search, limit or _DEFAULT, limit is not None
        self._url = f"{base_url.rstrip('/')}/drug/label.json"
        self._key = os.environ.get(api_key_env)
        self._names: dict[str, set[str]] = {}

    @cached_property
    def version(self) -> str:
        """The service's own date of its data, and how many labels it finds."""
        reply = self._page(0, 1)
        meta = (reply or {}).get("meta", {})
        return f"{meta.get('last_updated', '?')}:{meta.get('results', {}).get('total', 0)}:{self._limit}"

    def documents(self) -> Iterator[Document | Problem]:
        """Yield a document for each section of each label."""
        for skip in range(0, self._limit, _PAGE):
            reply = self._page(skip, min(_PAGE, self._limit - skip))
            labels = (reply or {}).get("results", [])
            if not labels:
                if skip == 0:
                    yield Problem(file=self._url, reason=f"no label for {self._search!r}", hint="see open.fda.gov/apis")
                return
            for label in labels:
                yield from self._label(label)
            total = int(reply["meta"]["results"]["total"])
            if skip + _PAGE >= total:
                return
        if not self._limit_is_given and total > self._limit:
            reason = f"{total:,} labels match {self._search!r}; the newest {self._limit:,} are taken"
            hint = f"say how many you want: --set limit={min(total, _FARTHEST)}"
            yield Problem(file=self._url, reason=reason, hint=hint)

    def aliases(self) -> Mapping[str, list[str]]:
        """Return generic names with their brands; known once the documents have been read."""
        return {generic: sorted(brands) for generic, brands in self._names.items()}

    def _page(self, skip: int, limit: int) -> Any:
        query: dict[str, str | int] = {
            "search": self._search,
            "limit": limit,
            "skip": skip,
            "sort": "effective_time:desc",
        }
        return get_json(self._url, query | ({"api_key": self._key} if self._key else {}))

    def _label(self, label: Mapping[str, Any]) -> Iterator[Document | Problem]:
        facts = label.get("openfda", {})
        generic, brand = _first(facts, "generic_name"), _first(facts, "brand_name")
        key = str(label.get("set_id") or label.get("id") or "")
        if not (generic or brand) or not key:
            yield Problem(file=self._url, reason=f"label {key or '?'} names no drug", hint="nothing to do: left out")
            return
        drug = f"{brand} ({generic})" if brand and generic and brand.lower() != generic.lower() else brand or generic
        if brand and generic:
            self._names.setdefault(generic, set()).add(brand)
        day = str(label.get("effective_time", ""))
        day = f"{day[:4]}-{day[4:6]}-{day[6:8]}" if len(day) == 8 else day
        for section in SECTIONS:
            text = "\n\n".join(str(part) for part in label.get(section, ()))
            if text.strip():
                title = f"{drug}: {section.replace('_', ' ')}"
                yield Document(
                    source=self.name,
                    title=title,
                    text=text,
                    citation=f"FDA label, {title}, {_first(facts, 'manufacturer_name') or 'manufacturer not named'}, "
                    f"effective {day or 'no date'}, set id {key}",
                    url=f"https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid={key}",
                    date=day or None,
                    license=self.license,
                    key=f"{key}/{section}",
                )


def _first(facts: Mapping[str, Any], field: str) -> str:
    values = facts.get(field) or [""]
    return str(values[0])
