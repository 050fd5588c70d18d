"""Families of models, by name: judges of one family share mistakes, and so do a judge and the model that it audits."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tracejury.agents.panel import JudgeSpec, Panel
from tracejury.agents.records import Seat

_WORDS = {
    "qwen": ("qwen", "qwq"),
    "llama": ("llama", "vicuna", "med42", "meditron", "openbiollm"),
    "mistral": ("mistral", "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral", "zephyr"),
    "gemini": ("gemini",),
    "gemma": ("gemma",),
    "gpt": ("gpt", "chatgpt", "davinci"),
    "claude": ("claude",),
    "deepseek": ("deepseek",),
    "phi": ("phi",),
    "kimi": ("kimi", "moonshot"),
    "grok": ("grok",),
    "command": ("command", "aya"),
    "falcon": ("falcon",),
    "smollm": ("smollm",),
    "olmo": ("olmo",),
    "glm": ("glm", "chatglm"),
    "yi": ("yi",),
}
"""Family -> words that stand for it in names. Models that were trained on from another one belong to its family."""
_OPENAI_O = re.compile(r"(?<![a-z0-9])o[134](?![a-z0-9])")
_LEAST_LETTERS = 3


def family(model: str) -> str:
    """Return the family that a model's name says first: `Qwen3-8B` and `qwen2.5-7b-instruct` are both `qwen`.

    A name without a known word gives the letters that it begins with.
    """
    return next(iter(_known(model)), None) or _letters(model)


def families(model: str) -> frozenset[str]:
    """Return the families that a model belongs to; `deepseek-r1-distill-qwen-7b` has two, and `m` none."""
    known_families = _known(model)
    letters = _letters(model)
    return frozenset(known_families or ((letters,) if len(letters) >= _LEAST_LETTERS else ()))


def refuse_same_family(panel: Panel, audited_models: Iterable[str]) -> None:
    """Refuse a panel whose judges or resolver are of the family of a model whose traces they are to judge.

    Args:
        panel: The panel; `allow_same_family` lets it pass.
        audited_models: The models of the traces, as far as the traces say.

    Raises:
        ValueError: A judge that votes or challenges, its stand-in, or the resolver is of such a family.
    """
    if panel.allow_same_family:
        return
    audited = sorted({model for model in audited_models if model})
    for who, model in _deciding_models(panel):
        for target in audited:
            if shared := families(model) & families(target):
                raise ValueError(
                    f"{who} ({model}) is of the family of the audited model {target} ({', '.join(sorted(shared))}): "
                    "it shares mistakes with it, and would let them pass. Give it another model, or write "
                    "`allow_same_family: true` into the panel, which the report says"
                )


def _deciding_models(panel: Panel) -> Iterable[tuple[str, str]]:
    """Yield who decides, and on which model; listed judges decide nothing."""
    model_of = {name: endpoint.model for name, endpoint in panel.endpoints.items()}
    for judge in panel.judges:
        if judge.seat is not Seat.LISTED:
            models = [model_of[name] for name in (judge.endpoint, judge.stand_in) if name]
            yield from ((f"judge {judge.name!r}", model) for model in (*models, *_recorded_model(judge)))
    if panel.resolver and panel.resolver.endpoint:
        yield "the resolver", model_of[panel.resolver.endpoint]


def _recorded_model(judge: JudgeSpec) -> tuple[str, ...]:
    model = judge.params.get("model")
    return (model,) if judge.judge == "recorded" and isinstance(model, str) else ()


def _known(model: str) -> list[str]:
    """Return the known families in a name, in the order in which it says them."""
    name = model.rsplit("/", 1)[-1].lower()
    places: dict[str, int] = {}
    for name_of_family, words in _WORDS.items():
        for word in words:
            # Short words are met by chance within others (`phi` in `sophia`), long ones are parts (`biomistral`).
            pattern = re.escape(word) if len(word) > _LEAST_LETTERS else rf"(?<![a-z]){re.escape(word)}(?![a-z])"
            if match := re.search(pattern, name):
                places[name_of_family] = min(match.start(), places.get(name_of_family, len(name)))
    if match := _OPENAI_O.search(name):
        places.setdefault("gpt", match.start())
    return sorted(places, key=places.__getitem__)


def _letters(model: str) -> str:
    name = model.rsplit("/", 1)[-1].lower()
    letters = name[: next((i for i, c in enumerate(name) if not c.isalpha()), len(name))]
    return letters or name
