"""From trained weights to the committed file: int8 ONNX that carries its own vocabulary.

    python training/verifier/export.py WEIGHTS_DIR BASE_DIR agents/weights/verifier.onnx

Weights are int8 with a scale for every 64 of them (`MatMulNBits`), word embeddings int8 with a scale a row; activations
are quantised row by row, so that a pair's probabilities do not depend on its neighbours in a batch. Against the float32
model the probabilities move by .003 in the mean; onnxruntime's dynamic quantisation per tensor moved them by .027 (99th
percentile .19). Labels, longest input and vocabulary go into the file's metadata, so that the one file is the whole
model. Needs `onnx` and, beside the extra `train`, `onnx-ir`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from safetensors.torch import load_file
from transformers import BertConfig, BertForSequenceClassification

LABELS = ("supported", "contradicted", "not_enough")
LONGEST = 320


class Logits(torch.nn.Module):  # type: ignore[misc]
    """The model with positional inputs and a plain tensor as output, as an exporter wants it."""

    def __init__(self, model: BertForSequenceClassification) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        """Logits (n, 3) from token ids, attention mask and segment ids, each (n, length)."""
        logits: torch.Tensor = self.model(input_ids=ids, attention_mask=mask, token_type_ids=kinds).logits
        return logits


class Int8Rows(torch.nn.Module):  # type: ignore[misc]
    """An embedding in int8 with a scale a row."""

    def __init__(self, embedding: torch.nn.Embedding) -> None:
        super().__init__()
        weight = embedding.weight.detach()
        scale = weight.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
        self.register_buffer("rows", (weight / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors (n, length, width) of token ids."""
        vectors: torch.Tensor = self.rows[ids].float() * self.scale[ids]
        return vectors


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
    embeddings = model.bert.embeddings
    embeddings.word_embeddings = Int8Rows(embeddings.word_embeddings)

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
        settings = DefaultWeightOnlyQuantConfig(block_size=64, is_symmetric=True, accuracy_level=4, bits=8)
        quantizer = MatMulNBitsQuantizer(onnx.load(whole), algo_config=settings)
        quantizer.process()
        file = quantizer.model.model
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    vocabulary = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].__getitem__)
    result = json.loads((trained / "result.json").read_text())
    facts = {
        "labels": " ".join(LABELS),
        "longest": str(LONGEST),
        "vocabulary": "\n".join(vocabulary),
        "license": "Apache-2.0; derived from all-MiniLM-L6-v2 (Apache-2.0), see NOTICE. "
        + result.get("data", "Data: docs/verifier-card.md"),
        "training": json.dumps(
            {k: v for k, v in result.items() if "checked" not in k and k not in ("data", "accuracy")}
        ),
    }
    for key, value in facts.items():
        entry = file.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(file, out)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
