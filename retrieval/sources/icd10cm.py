"""ICD-10-CM through simple-icd-10-cm: codes, inclusion terms, what excludes what."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tracejury.retrieval.records import Document
from tracejury.traces import Problem

_NOTES = (
    ("Includes", "get_includes"),
    ("Inclusion terms", "get_inclusion_term"),
    ("Excludes (never coded together)", "get_excludes1"),
    ("Excludes (not part of it)", "get_excludes2"),
    ("Use additional code", "get_use_additional_code"),
    ("Code first", "get_code_first"),
)


class Icd10Cm:
    """One document a category of three characters: its notes, and all codes under it."""

    name = "icd10cm"
    license = "public domain (NCHS, CMS)"

    @cached_property
    def version(self) -> str:
        """The version of the package, and with it of the code set."""
        try:
            return version("simple-icd-10-cm")
        except PackageNotFoundError:
            raise ModuleNotFoundError("icd10cm needs simple-icd-10-cm: pip install 'tracejury[sources]'") from None

    def aliases(self) -> Mapping[str, list[str]]:
        """Return description -> the terms that are coded as it (inclusion terms), without those that say `NOS`."""
        icd = _codes()
        return {
            icd.get_description(code): names
            for code in icd.get_all_codes(with_dots=True)
            if icd.is_category_or_subcategory(code)
            and not icd.is_extended_subcategory(code)
            and (names := [t for t in icd.get_inclusion_term(code) if "NOS" not in t and len(t.split()) <= 4][:3])
        }

    def documents(self) -> Iterator[Document | Problem]:
        """Yield the categories."""
        edition = f"ICD-10-CM (simple-icd-10-cm {self.version})"
        icd = _codes()
        for code in icd.get_all_codes(with_dots=True):
            if re.fullmatch(r"[A-Z]\d[0-9A-Z]", code):
                title = f"{code} {icd.get_description(code)}"
                yield Document(
                    source=self.name,
                    title=title,
                    text=_text(icd, code),
                    citation=f"{edition}, {title}. National Center for Health Statistics",
                    license=self.license,
                    key=code,
                )


def _codes() -> Any:
    with warnings.catch_warnings():
        # It still asks for pkg_resources where setuptools has it.
        warnings.simplefilter("ignore")
        import simple_icd_10_cm
    return simple_icd_10_cm


def _text(icd: Any, code: str) -> str:
    lines = [f"{code}: {icd.get_description(code)}"]
    for heading, getter in _NOTES:
        notes = getattr(icd, getter)(code)
        if notes:
            lines.append(f"{heading}: {notes if isinstance(notes, str) else '; '.join(notes)}")
    lines += [f"{c}: {icd.get_description(c)}" for c in _below(icd, code)]
    return "\n".join(lines)


def _below(icd: Any, code: str) -> Iterator[str]:
    """Yield the codes under `code`, without seventh characters: they repeat one statement up to a hundred times."""
    for child in icd.get_children(code):
        if not icd.is_extended_subcategory(child):
            yield child
            yield from _below(icd, child)
