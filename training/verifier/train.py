"""Train the verifier: MiniLM-L6 as a cross-encoder (claim, evidence) -> supported, contradicted, not enough.

A script to be read from top to bottom. It needs torch, transformers, tokenizers and safetensors, and nothing of
tracejury, so that it runs on a GPU machine that has only those:

    python training/verifier/train.py PAIRS.jsonl.xz BASE_DIR OUT_DIR --epochs 4 --lr 1e-4 --budget 240

BASE_DIR holds `model.safetensors` and `tokenizer.json` of all-MiniLM-L6-v2 (see docs/verifier-card.md for where they
come from). On a CPU the same command trains at some 10 pairs a second and core: `--limit` takes a share of them, and
`--start OUT_DIR` goes on from weights that were trained before.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import random
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertForSequenceClassification

LABELS = ("supported", "contradicted", "not_enough")
LONGEST = 320

parser = argparse.ArgumentParser()
parser.add_argument("pairs", type=Path)
parser.add_argument("base", type=Path)
parser.add_argument("out", type=Path)
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--lr", type=float, default=1e-4)
parser.add_argument("--tokens", type=int, default=24_000, help="tokens a batch, padding included")
parser.add_argument("--budget", type=float, default=math.inf, help="seconds; the schedule ends in time")
parser.add_argument("--limit", type=int, default=0, help="train on this many pairs only")
parser.add_argument("--held-out", type=int, default=0, help="measure on this many held-out pairs only")
parser.add_argument("--start", type=Path, help="go on from these weights")
parser.add_argument("--seed", type=int, default=0)


def main() -> None:  # noqa: C901 - one script, read from top to bottom
    """Train, measure on the calibrate and report parts, write the weights."""
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    draw = random.Random(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    # 1. Pairs, tokenised once.
    with lzma.open(args.pairs, "rt") as handle:
        rows = [json.loads(line) for line in handle]
    train = [r for r in rows if r["part"] == "train"]
    held_out = [r for r in rows if r["part"] != "train"]
    draw.shuffle(train)
    train = train[: args.limit] if args.limit else train
    draw.shuffle(held_out)
    held_out = held_out[: args.held_out] if args.held_out else held_out
    tokenizer = Tokenizer.from_file(str(args.base / "tokenizer.json"))
    tokenizer.no_padding()
    # Only the evidence is shortened where a pair is too long: the claim is what is judged.
    tokenizer.enable_truncation(LONGEST, strategy="only_second")
    print(f"{len(train)} pairs to train on, {len(held_out)} held out, on {device}", flush=True)
    train_ids, held_ids = encode(tokenizer, train), encode(tokenizer, held_out)

    # 2. The model: six layers, a new head.
    config = BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
        num_labels=len(LABELS), hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    weights = {k: v.float() for k, v in load_file(args.base / "model.safetensors").items() if "position_ids" not in k}
    missing, unexpected = model.bert.load_state_dict(weights, strict=False)
    print("missing", missing, "unexpected", unexpected)
    if args.start:
        model.load_state_dict(joined(args.start))
    model.to(device)
    decay = [p for n, p in model.named_parameters() if p.ndim > 1]
    plain = [p for n, p in model.named_parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=args.lr
    )

    # 3. Train: linear warm-up over 5 %, then linear decay; the clock counts where it is ahead of the steps.
    began, step, losses = time.monotonic(), 0, []
    labels = torch.tensor([LABELS.index(r["label"]) for r in train])
    total = args.epochs * len(batches(train_ids, args.tokens, draw))
    progress = 0.0
    for epoch in range(args.epochs):
        model.train()
        for batch in batches(train_ids, args.tokens, draw):
            progress = max(step / total, (time.monotonic() - began) / args.budget)
            if progress >= 1:
                break
            rate = min(progress / 0.05, (1 - progress) / 0.95)
            for group in optimizer.param_groups:
                group["lr"] = args.lr * max(rate, 1e-3)
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                logits = model(**tensors(train_ids, batch, device)).logits
            # Labels made by rule are not all right; smoothing keeps the model from learning the wrong ones by heart.
            loss = torch.nn.functional.cross_entropy(logits.float(), labels[batch].to(device), label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            losses.append(loss.detach())
            if step % 100 == 0:
                mean = torch.stack(losses[-100:]).mean().item()
                print(
                    f"epoch {epoch} {step}/{total} {progress:.0%} loss {mean:.4f} {time.monotonic() - began:.0f} s",
                    flush=True,
                )
    seconds = time.monotonic() - began

    # 4. Measure, by part and by how the pair was made. Choose between runs by `calibrate` alone.
    predictions = predict(model, held_ids, args.tokens, device)
    right: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    for row, logits in zip(held_out, predictions, strict=True):
        hit = LABELS[int(logits.argmax())] == row["label"]
        for kind in ("all", row["kind"]):
            right[row["part"], kind, row["label"] if kind != "all" else ""].append(hit)
    table = {" ".join(key).strip(): [round(float(np.mean(v)), 4), len(v)] for key, v in sorted(right.items())}
    for name, (share, n) in table.items():
        print(f"{name:45} {share:.3f} of {n}")
    result = {"seconds": round(seconds), "steps": step, "device": device, "accuracy": table, "pairs": len(train)}
    result |= {"lr": args.lr, "seed": args.seed, "epochs_done": round(progress * args.epochs, 2)}

    # 5. Write in half precision, in files of at most 15 MB.
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    shard: dict[str, torch.Tensor] = {}
    shards, size = [shard], 0
    for name, value in model.state_dict().items():
        half = value.detach().to("cpu", torch.float16).contiguous()
        # The word embeddings alone are 23 MB.
        for i, piece in enumerate(half.chunk(2) if half.numel() > 5_000_000 else [half]):
            if size + piece.nbytes > 15_000_000:
                shard, size = {}, 0
                shards.append(shard)
            shard[f"{name}#{i}"] = piece.clone()
            size += piece.nbytes
    for i, shard in enumerate(shards):
        save_file(shard, args.out / f"weights-{i}.safetensors")


def joined(folder: Path) -> dict[str, torch.Tensor]:
    """Read what step 5 wrote, in float32."""
    pieces: dict[str, dict[int, torch.Tensor]] = {}
    for path in sorted(folder.glob("weights-*.safetensors")):
        for name, value in load_file(path).items():
            key, piece = name.rsplit("#", 1)
            pieces.setdefault(key, {})[int(piece)] = value.float()
    return {key: torch.cat([tensors_of[i] for i in sorted(tensors_of)]) for key, tensors_of in pieces.items()}


def encode(tokenizer: Tokenizer, rows: list[dict[str, str]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Token ids and segment ids of every pair."""
    out = []
    for start in range(0, len(rows), 10_000):
        part = rows[start : start + 10_000]
        for e in tokenizer.encode_batch([(r["claim"], r["evidence"]) for r in part]):
            out.append((np.array(e.ids, np.int32), np.array(e.type_ids, np.int8)))
    return out


def batches(pairs: list[tuple[np.ndarray, np.ndarray]], tokens: int, draw: random.Random) -> list[list[int]]:
    """Cut shuffled indices into batches of like length: at most `tokens` tokens with padding."""
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + draw.random() * 12)
    out: list[list[int]] = []
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * len(pairs[i][0]) > tokens:
            out.append(batch)
            batch = []
        batch.append(i)
    out.append(batch)
    draw.shuffle(out)
    return out


def tensors(pairs: list[tuple[np.ndarray, np.ndarray]], batch: list[int], device: str) -> dict[str, torch.Tensor]:
    """Pad a batch and move it to the device."""
    width = -(-max(len(pairs[i][0]) for i in batch) // 8) * 8
    ids, kinds, mask = (np.zeros((len(batch), width), np.int64) for _ in range(3))
    for row, i in enumerate(batch):
        n = len(pairs[i][0])
        ids[row, :n], kinds[row, :n], mask[row, :n] = pairs[i][0], pairs[i][1], 1
    named = {"input_ids": ids, "token_type_ids": kinds, "attention_mask": mask}
    return {k: torch.from_numpy(v).to(device, non_blocking=True) for k, v in named.items()}


@torch.no_grad()  # type: ignore[untyped-decorator]
def predict(
    model: BertForSequenceClassification, pairs: list[tuple[np.ndarray, np.ndarray]], tokens: int, device: str
) -> np.ndarray:
    """Logits, float32 (n, 3)."""
    model.eval()
    out = np.zeros((len(pairs), len(LABELS)), np.float32)
    for batch in batches(pairs, tokens, random.Random(0)):
        out[batch] = model(**tensors(pairs, batch, device)).logits.float().cpu().numpy()
    return out


if __name__ == "__main__":
    main()
