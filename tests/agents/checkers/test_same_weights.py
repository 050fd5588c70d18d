"""A checker with the weights of a judge or of the audited model confirms its own mistakes."""

from __future__ import annotations

import pytest

from tracejury.agents.checkers import CheckerError, refuse_same_weights, same_weights

QWEN = "prompt checker@1:abc of qwen2.5-1.5b-instruct-q4_k_m.gguf"


@pytest.mark.parametrize(
    ("identity", "other", "same"),
    [
        (QWEN, "Qwen/Qwen2.5-1.5B-Instruct", True),
        (QWEN, "/models/Qwen2.5-1.5B-Instruct.Q8_0.gguf", True),
        (QWEN, "Qwen/Qwen2.5-1.5B-Instruct-AWQ", True),
        (QWEN, "qwen2.5:1.5b-instruct", True),
        (QWEN, "qwen2.5-1.5b-instruct:latest", True),
        (QWEN, "Qwen/Qwen2.5-7B-Instruct", False),
        (QWEN, "Qwen/Qwen2.5-1.5B", False),
        ("verifier.onnx@0123456789abcdef", "renamed.onnx@0123456789abcdef", True),
        ("verifier.onnx@0123456789abcdef", "other.onnx@fedcba9876543210", False),
        (f"owner/nli-model@0f1e2d + {QWEN}", "Qwen/Qwen2.5-1.5B-Instruct", True),
        ("owner/nli-model@0f1e2d", "another/fact-model", False),
        ("prompt checker@1:abc of gpt-4o-mini", "gpt-4o", False),
    ],
)
def test_the_same_weights_are_known_by_any_of_their_names(identity: str, other: str, same: bool) -> None:
    assert same_weights(identity, {"judge facts": other}) == (("judge facts",) if same else ())


def test_they_are_refused_unless_allowed_and_then_marked() -> None:
    others = {"judge facts": "gpt-4o", "the audited model": "Qwen/Qwen2.5-1.5B-Instruct"}
    with pytest.raises(CheckerError, match=r"has the weights of the audited model.*allow_same_weights: true"):
        refuse_same_weights(QWEN, others, allowed=False)
    assert refuse_same_weights(QWEN, others, allowed=True) == ("the audited model",)
    assert refuse_same_weights("nli.onnx@0123456789abcdef", others, allowed=False) == ()
