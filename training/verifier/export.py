"""From trained weights to the committed file: int8 ONNX that carries its own vocabulary.

    python training/verifier/export.py WEIGHTS_DIR BASE_DIR agents/weights/verifier.onnx

Weights are quantised per tensor to int8, activations at run time (onnxruntime's dynamic quantisation). Labels, longest
input and vocabulary go into the file's metadata, so that the one file is the whole judge.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from transformers import BertConfig, BertForSequenceClassification

LABELS = ("supported", "contradicted", "not_enough")
LONGEST = 320


class Logits(torch.nn.Module):  # type: ignore[misc]
    """The model with positional inputs and a plain tensor as output, as an exporter wants it."""

    def __init__(self, model: BertForSequenceClassification) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, seen: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        """Logits (n, 3) from token ids, attention mask and segment ids, each (n, length)."""
        logits: torch.Tensor = self.model(input_ids=ids, attention_mask=seen, token_type_ids=kinds).logits
        return logits


def main() -> None:
    """Load, export, quantise, name."""
    trained, source, out = map(Path, sys.argv[1:])
    config = BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
        num_labels=len(LABELS), attn_implementation="eager",
    )  # fmt: skip
    model = BertForSequenceClassification(config).eval()
    pieces: dict[str, dict[int, torch.Tensor]] = {}
    for path in sorted(trained.glob("weights-*.safetensors")):
        for name, value in load_file(path).items():
            key, piece = name.rsplit("#", 1)
            pieces.setdefault(key, {})[int(piece)] = value.float() if value.is_floating_point() else value
    model.load_state_dict({k: torch.cat([v[i] for i in sorted(v)]) for k, v in pieces.items()})

    example = torch.ones((2, 16), dtype=torch.int64)
    shape = {0: "pairs", 1: "tokens"}
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            Logits(model),
            (example, example, example * 0),
            str(whole),
            input_names=["input_ids", "attention_mask", "token_type_ids"],
            output_names=["logits"],
            dynamic_axes={n: shape for n in ("input_ids", "attention_mask", "token_type_ids")}
            | {"logits": {0: "pairs"}},
            opset_version=17,
            dynamo=False,
        )
        out.parent.mkdir(parents=True, exist_ok=True)
        quantize_dynamic(whole, out, weight_type=QuantType.QInt8)
    file = onnx.load(out)
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    vocabulary = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].__getitem__)
    result = json.loads((trained / "result.json").read_text())
    facts = {
        "labels": " ".join(LABELS),
        "longest": str(LONGEST),
        "vocabulary": "\n".join(vocabulary),
        "license": "Apache-2.0; derived from all-MiniLM-L6-v2 (Apache-2.0), see NOTICE and docs/verifier-card.md",
        "training": json.dumps({k: result[k] for k in ("pairs", "steps", "lr", "seed", "epochs_done")}),
    }
    for key, value in facts.items():
        entry = file.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(file, out)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
