"""Pack an encoder's weights as int8 rows with a scale each, a quarter of their size, to start training from elsewhere.

python training/verifier/pack.py MODEL_DIR OUT_DIR
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def main() -> None:
    """Read, round, write; configuration and tokenizer are copied."""
    source, out = map(Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    packed: dict[str, torch.Tensor] = {}
    for name, value in load_file(source / "model.safetensors").items():
        if "position_ids" in name or "pooler" in name:
            continue
        if value.ndim == 2 and value.numel() > 100_000:
            scale = value.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
            packed[name] = (value / scale).round().to(torch.int8)
            packed[f"{name}#scale"] = scale.half()
        else:
            packed[name] = value.half()
    save_file(packed, out / "model.safetensors")
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(source / name, out / name)


if __name__ == "__main__":
    main()
