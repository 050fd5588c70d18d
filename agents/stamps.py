"""Which prompts a panel uses, by hash: two runs under different words are not comparable."""

from __future__ import annotations

from tracejury.agents.contracts import judges
from tracejury.agents.panel import Panel
from tracejury.agents.prompting import Prompt, prompt


def prompt_hashes(panel: Panel) -> dict[str, str]:
    """Return prompt name -> stamp (name, version, hash) of every prompt that the panel's judges and resolver use."""
    made = [judges.make(spec.judge, **spec.params) for spec in panel.judges]
    used = [p for judge in made if isinstance(p := getattr(judge, "prompt", None), Prompt)]
    if any(judge.needs_endpoint for judge in made):
        used.append(prompt("rules"))
    if panel.resolver and panel.resolver.endpoint:
        used.append(prompt("resolver"))
    return {p.name: p.stamp for p in used}
