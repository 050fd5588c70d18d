"""Rendering of pages: autoescaped, every text neutralised, all links from one function."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tracejury.agents import Outcome, Reason
from tracejury.console.neutral import neutral
from tracejury.console.viewer.links import safe_url
from tracejury.console.wording import WHY
from tracejury.ledger import Run
from tracejury.reports import ARM_SHAPES
from tracejury.traces import blind

Link = Callable[..., str]
"""(path below the site's root, **query) -> address."""

_PLAIN_NAME = re.compile(r"(?!\.)[\w.-]+", re.ASCII)

MARKS = {"supported": "✓", "error": "✗", "abstained": "?", "failed": "!", "no_claim": "·", "unclear": "?", "none": " "}
"""Outcomes have a symbol, since colour alone cannot be read by everybody."""


def served(path: str, **query: object) -> str:
    """Return the address of a page of the running server."""
    parameters = {name: value for name, value in query.items() if value not in (None, "", False)}
    return "/" + quote(path, safe="/:@") + ("?" + urlencode(parameters) if parameters else "")


def place(run: Run) -> str:
    """Return the path of a run's pages: its name, or its id where the name does not fit into a path."""
    return f"runs/{run.name if _PLAIN_NAME.fullmatch(run.name) and run.name != 'last' else run.id}"


def render(template: str, link: Link, **values: Any) -> str:
    """Return a page as HTML."""
    return _environment().get_template(template).render(link=link, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tracejury.console.viewer"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_final,
    )
    filters: dict[str, Callable[..., Any]] = {
        "num": lambda n: f"{n:,}",
        "usd": lambda x: f"${x:,.4f}" if 0 < x < 1 else f"${x:,.2f}",
        "spaced": lambda s: str(getattr(s, "value", s)).replace("_", " "),
        "excerpt": _excerpt,
        # Numbers and marks alone, which stand between steps, say nothing.
        "says": lambda text: len(blind(text)) > 3,
        "safe_url": safe_url,
        "slug": lambda text: hashlib.sha256(str(text).encode()).hexdigest()[:8],
        "when": lambda s: str(s)[:16].replace("T", " ") if s else "",
    }
    environment.filters |= filters
    environment.globals |= {
        "ARM_SHAPES": ARM_SHAPES,
        "MARKS": MARKS,
        "WHY": WHY,
        "Outcome": Outcome,
        "Reason": Reason,
        "place": place,
    }
    return environment


def _final(value: Any) -> Any:
    """Neutralise a value; every value that a template shows passes here."""
    if isinstance(value, Markup):
        return value
    return "" if value is None else neutral(str(value))


def _excerpt(text: str, size: int = 160) -> str:
    line = " ".join(text[: 4 * size].split())
    if len(line) <= size and len(text) <= 4 * size:
        return line
    whole_words = line[: size + 1].rpartition(" ")[0]
    # A word longer than a third of the excerpt is cut: some texts have no spaces.
    return (whole_words if 3 * len(whole_words) > 2 * size else line[:size]).rstrip() + " …"
