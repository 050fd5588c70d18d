"""Prompts: versioned files, and the messages made of them and of a case, what all judges share standing first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import yaml

from tracejury.agents.records import Case
from tracejury.models import Data, Message
from tracejury.storage import read_utf8

EVIDENCE = ("vignette", "steps", "passages")


class Prompt(NamedTuple):
    """A prompt file: YAML front matter (`version`, `summary`), then the text."""

    name: str
    version: str
    summary: str
    text: str

    @property
    def stamp(self) -> str:
        """Name, version and the first 12 digits of the text's SHA-256: what a run's manifest records."""
        return f"{self.name}@{self.version}:{hashlib.sha256(self.text.encode()).hexdigest()[:12]}"


def prompt(name: str) -> Prompt:
    """Return a prompt by name (`facts`) or by path (`./my_prompt.md`).

    Raises:
        FileNotFoundError: There is none.
        ValueError: The file has no front matter with `version` and `summary`.
    """
    if name.endswith(".md"):
        return _parsed(Path(name).stem, read_utf8(Path(name)), name)
    return _shipped(name)


@cache
def _shipped(name: str) -> Prompt:
    folder = files("tracejury.agents") / "prompts"
    path = folder / f"{name}.md"
    if not path.is_file():
        names = sorted(p.name.removesuffix(".md") for p in folder.iterdir() if p.name.endswith(".md"))
        raise FileNotFoundError(f"no prompt called {name!r}; known: {', '.join(names)}, or give the path of a .md file")
    return _parsed(name, path.read_text("utf-8"), str(path))


def _parsed(name: str, text: str, where: str) -> Prompt:
    head, mark, body = text.removeprefix("---\n").partition("\n---\n")
    front = yaml.safe_load(head) if mark and text.startswith("---\n") else None
    if not isinstance(front, dict) or not {"version", "summary"} <= set(front):
        raise ValueError(f"{where}: starts without front matter; put `---`, `version:`, `summary:`, `---` first")
    return Prompt(name, str(front["version"]), str(front["summary"]), body.strip())


def handles(case: Case) -> dict[str, str]:
    """Return what a prompt calls each piece of evidence -> its id: `P1`, `P2`, ..., `vignette`, `step:N`.

    Short names, because a passage id costs a small model 20 tokens and most of its mistakes.
    """
    named = {"vignette": "vignette"} if case.stem.strip() else {}
    named |= {f"step:{c.index}": f"step:{c.index}" for c in case.context}
    return named | {f"P{i}": p.id for i, p in enumerate(case.passages, 1)}


def case_messages(
    case: Case, ask: str, rules: str = "rules", evidence: tuple[str, ...] = EVIDENCE, extra: tuple[Data, ...] = ()
) -> tuple[Message, ...]:
    """Return the messages that put a case to a model.

    Args:
        case: The case; every text of it becomes a `Data` part.
        ask: The text of the judge's own prompt; it stands last.
        rules: The prompt that all judges share; it stands first.
        evidence: Which of `vignette`, `steps`, `passages` are shown. Judges who see the same share the prefix.
        extra: More data between the step and the judge's prompt (the resolver's opinions).
    """
    parts: list[str | Data] = []
    if "vignette" in evidence and (case.stem.strip() or case.options):
        parts += ["VIGNETTE (cite as vignette)\n", Data(label="question", text=case.stem)]
        if case.options:
            parts += ["\nOPTIONS\n", Data(label="options", text=_options(case.options))]
    if case.gold is not None:
        parts += ["\nCORRECT ANSWER\n", Data(label="answer", text=_gold(case.gold, case.options))]
    if "steps" in evidence:
        for step in case.context:
            parts += [f"\nOTHER STEP (cite as step:{step.index})\n", Data(label="context", text=step.text)]
    if "passages" in evidence:
        for i, passage in enumerate(case.passages, 1):
            parts += [f"\nPASSAGE (cite as P{i})\n", Data(label="passage", text=passage.text)]
    parts += ["\nSTEP\n", Data(label="step", text=case.step)]
    if rules == "rules" and case.claims.claims:
        listed = "\n".join(f"{c.handle}: {c.text}" for c in case.claims.claims)
        parts += ["\nCLAIMS of the step\n", Data(label="claims", text=listed)]
    for i, data in enumerate(extra, 1):
        parts += [f"\nOPINION {i}\n", data]
    system = Message(role="system", parts=(prompt(rules).text,))
    return (system, Message(role="user", parts=(*parts, "\n\n" + ask)))


def _options(options: Mapping[str, str]) -> str:
    return "\n".join(f"{key}. {text}" for key, text in options.items())


def _gold(gold: str, options: Mapping[str, str]) -> str:
    return f"{gold}. {options[gold]}" if gold in options else gold
