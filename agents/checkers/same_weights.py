"""Whether a checker has the weights of somebody whose work it checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from tracejury.agents.checkers.both import JOINED
from tracejury.agents.checkers.contracts import CheckerError

_FILE = re.compile(r"\.(gguf|onnx|safetensors|bin)$")
_QUANTISED = re.compile(r"[-._]?(i?q\d\w*|int[48]|fp(8|16|32)|bf16|f16|f32|awq|gptq|bnb|gguf|mlx|\d+bit)(?=$|[-._])")


def same_weights(identity: str, others: Mapping[str, str]) -> tuple[str, ...]:
    """Return whose weights a checker shares.

    Names are compared without their owner, their file ending and how they are quantised: a quantised copy repeats the
    mistakes of its model.

    Args:
        identity: The checker's identity: `NAME@DIGEST`, `PROMPT of MODEL`, or two of these.
        others: Who (`judge facts`, `the audited model`) -> model name or identity.
    """
    checker_keys = frozenset(key for part in identity.split(JOINED) for key in _keys(part))
    return tuple(who for who, model in others.items() if checker_keys & _keys(model))


def refuse_same_weights(identity: str, others: Mapping[str, str], *, allowed: bool) -> tuple[str, ...]:
    """Refuse a checker that shares weights; return whose they are where the panel allows it, for the mark of the run.

    Raises:
        CheckerError: It shares somebody's weights, and that is not allowed.
    """
    shared = same_weights(identity, others)
    if shared and not allowed:
        raise CheckerError(
            f"the checker ({identity}) has the weights of {', '.join(shared)}: it would confirm the mistakes that it "
            "makes itself. Name another checker, or write `allow_same_weights: true`, which marks the run"
        )
    return shared


def _keys(model: str) -> frozenset[str]:
    name, _, digest = model.rpartition(" of ")[2].partition("@")
    base = _FILE.sub("", PurePosixPath(name.strip().lower().replace("\\", "/")).name).replace(":", "-")
    base = base.removesuffix("-latest")
    previous = ""
    while previous != base:
        previous, base = base, _QUANTISED.sub("", base)
    plain = re.sub(r"[^a-z0-9]+", "-", base).strip("-")
    return frozenset({plain, digest} - {""})
