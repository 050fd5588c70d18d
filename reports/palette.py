"""The colours and the order of arms and outcomes, one table for report, viewer and terminal.

Arms have Okabe and Ito's colours (2008, jfly.uni-koeln.de/color), which all eyes tell apart. Outcomes have a symbol and
a word wherever they have a colour. Inks meet AA on their own ground in both schemes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

ARM_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""By place in `ordered_arms`; a seventh arm begins again, with the marker's shape beside it."""
ARM_SHAPES = ("●", "■", "▲", "◆", "▼", "✚")


class Shade(NamedTuple):
    """The colours of one outcome on one ground."""

    ink: str
    ground: str
    fill: str
    """Of bars and edges."""


class OutcomeColours(NamedTuple):
    """The colours of one outcome."""

    light: Shade
    dark: Shade
    terminal: str
    """A style with one of the terminal's own sixteen colours, which follow its scheme."""


OUTCOME_COLOURS = {
    "supported": OutcomeColours(
        Shade("#0b6b53", "#e2f2ec", "#3a9d80"), Shade("#7ed3b5", "#163329", "#3a9d80"), "green"
    ),
    "error": OutcomeColours(Shade("#a3260f", "#fce7e1", "#d0553b"), Shade("#ffa28d", "#451d15", "#cf5a40"), "bold red"),
    "abstained": OutcomeColours(
        Shade("#6a5300", "#f8efcf", "#d9b53c"), Shade("#e9cd72", "#37300f", "#b8952b"), "yellow"
    ),
    "failed": OutcomeColours(Shade("#6d2b83", "#f3e6f7", "#9a5cb0"), Shade("#dda9ee", "#371f40", "#9a5cb0"), "magenta"),
    "no_claim": OutcomeColours(Shade("#565c64", "#eceded", "#b3b7bc"), Shade("#b6bcc3", "#2a2f34", "#6b727a"), "dim"),
}


def ordered_arms(names: Iterable[str]) -> list[str]:
    """Return arms in the order of every table and figure: `base`, then by name."""
    return sorted(set(names), key=arm_order)


def arm_order(name: str) -> tuple[bool, str]:
    """Return the key that arms are sorted by."""
    return name != "base", name


def palette_css() -> str:
    """Return the colours as CSS variables: `--error`, `--error-bg`, `--error-fill`, `--arm-0`, in both schemes."""
    arms = "".join(f" --arm-{i}: {colour};" for i, colour in enumerate(ARM_COLOURS))
    light = "".join(_variables(name, colours.light) for name, colours in OUTCOME_COLOURS.items())
    dark = "".join(_variables(name, colours.dark) for name, colours in OUTCOME_COLOURS.items())
    return f":root {{{arms}{light} }}\n@media (prefers-color-scheme: dark) {{ :root {{{dark} }} }}\n"


def _variables(name: str, shade: Shade) -> str:
    return f" --{name}: {shade.ink}; --{name}-bg: {shade.ground}; --{name}-fill: {shade.fill};"
