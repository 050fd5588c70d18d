"""Train the checker in stages: a larger teacher, its labels for pairs that have none, and MiniLM-L6 on both.

A script that needs torch, transformers, tokenizers and safetensors, and nothing of tracejury:

    python training/verifier/stages.py PAIRS.json.xz STUDENT_DIR OUT_DIR [--teacher TEACHER_DIR]

STUDENT_DIR (all-MiniLM-L6-v2) and TEACHER_DIR (all-mpnet-base-v2) hold `config.json`, `tokenizer.json` and either
`model.safetensors` or the int8 rows that `pack.py` writes. General entailment comes first, then labelled and made pairs
with a share of the general ones. Without a teacher the student learns from the labels alone.
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
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification

LABELS = ("supported", "contradicted", "not_enough")
LONGEST = 320
# What a label allows: `not_supported` leaves open which of the other two holds; no label allows all.
ALLOWED = {"supported": (1, 0, 0), "contradicted": (0, 1, 0), "not_enough": (0, 0, 1), "not_supported": (0, 1, 1),
           "unlabelled": (1, 1, 1)}  # fmt: skip

DATA = (
    "Trained on MultiNLI (OANC and CC parts), SNLI (CC BY-SA 4.0), MED (CC BY-SA 4.0), SciFact (claims CC BY 4.0, "
    "abstracts ODC-By 1.0; its hub card says CC BY-NC 2.0), CliniFact, MedHallu, PubMedQA, open-medicine (MIT), "
    "MEDEC, MedQuAD, OpenStax nursing (CC BY 4.0), National Guideline Clearinghouse (no restrictions); taught by a "
    "fine-tuned all-mpnet-base-v2 (Apache-2.0). docs/checker-card.md"
)

parser = argparse.ArgumentParser()
parser.add_argument("pairs", type=Path)
parser.add_argument("student", type=Path)
parser.add_argument("out", type=Path)
parser.add_argument("--teacher", type=Path)
parser.add_argument("--readings", type=Path, help="further pairs that are scored only")
parser.add_argument("--teacher-seconds", type=float, default=170)
parser.add_argument("--student-seconds", type=float, default=170)
parser.add_argument("--teacher-lr", type=float, default=3e-5)
parser.add_argument("--student-lr", type=float, default=1.5e-4)
parser.add_argument("--tokens", type=int, default=24_000, help="tokens a batch, padding included")
parser.add_argument("--limit", type=int, default=0, help="use this many pairs only")
parser.add_argument("--labels", type=Path, help="read the teacher's labels from this file instead of training one")
parser.add_argument("--unlabelled", type=int, default=200_000, help="label this many of the pairs without one")
parser.add_argument("--seed", type=int, default=0)


class Row(NamedTuple):
    """A pair, as the file has it."""

    claim: str
    evidence: str
    label: str
    kind: str
    source: str
    group: str
    part: str
    stage: str


class Encoded(NamedTuple):
    """Token ids and segment ids of every pair."""

    ids: list[np.ndarray]
    kinds: list[np.ndarray]


def main() -> None:
    """Train what is asked for, measure on the calibrate part, write the student."""
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    draw = random.Random(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # cuDNN's attention plans anew for every shape of a batch, which took three quarters of the student's time.
    torch.backends.cuda.enable_cudnn_sdp(False)
    began = time.monotonic()
    rows = read(args.pairs)
    if args.limit:
        rows = draw.sample(rows, args.limit)
    rows += read(args.readings) if args.readings else []
    allowed = torch.tensor([ALLOWED[r.label] for r in rows], dtype=torch.float32)
    train = [i for i, r in enumerate(rows) if r.part == "train"]
    general = [i for i in train if rows[i].stage == "general"]
    main_rows = [i for i in train if rows[i].stage == "main"]
    unlabelled = [i for i in train if rows[i].stage == "unlabelled"]
    unlabelled = draw.sample(unlabelled, min(args.unlabelled, len(unlabelled)))
    check = [i for i, r in enumerate(rows) if r.part == "calibrate" and r.stage == "main"]
    held_out = [i for i, r in enumerate(rows) if r.stage == "reading"]
    print(f"{len(general)} general, {len(main_rows)} main, {len(unlabelled)} unlabelled, {len(check)} to check", device)
    result: dict[str, Any] = {"device": torch.cuda.get_device_name() if device == "cuda" else device}
    result |= {"general": len(general), "main": len(main_rows), "unlabelled": len(unlabelled), "seed": args.seed}

    soft = None
    args.out.mkdir(parents=True, exist_ok=True)
    if args.labels:
        soft = torch.from_numpy(np.load(args.labels)).float()
    elif args.teacher:
        teacher = load(args.teacher).to(device)
        encoded = encode(args.teacher, rows)
        print(f"teacher loaded after {time.monotonic() - began:.0f} s", flush=True)
        fit = dict(encoded=encoded, allowed=allowed, soft=None, tokens=args.tokens, draw=draw, device=device)
        share = args.teacher_seconds
        train_on(teacher, general, 2, args.teacher_lr, 0.25 * share, **fit)
        mixed = main_rows + draw.sample(general, len(general) // 3)
        result["teacher"] = train_on(teacher, mixed, 2, args.teacher_lr, 0.75 * share, **fit)
        scores = np.zeros((len(rows), len(LABELS)), np.float32)
        named = general + main_rows + unlabelled + check
        scores[named] = predict(teacher, encoded, named, args.tokens, device)
        soft = torch.from_numpy(scores).softmax(1)
        np.save(args.out / "labels.npy", soft.numpy().astype(np.float16))
        result["teacher_checked"] = checked([rows[i] for i in check], soft[check].numpy())
        print(f"teacher done after {time.monotonic() - began:.0f} s", flush=True)
        few = [i for i in held_out if not rows[i].kind.endswith("group")]
        if few:
            np.save(args.out / "teacher.npy", predict(teacher, encoded, few, args.tokens, device).astype(np.float16))
        del teacher

    student = load(args.student).to(device)
    encoded = encode(args.student, rows)
    fit = dict(encoded=encoded, allowed=allowed, soft=soft, tokens=args.tokens, draw=draw, device=device)
    first = train_on(student, general, 4, args.student_lr, 0.2 * args.student_seconds, **fit)
    mixed = main_rows + draw.sample(general, len(general) // 2) + (unlabelled if soft is not None else [])
    result["student"] = train_on(student, mixed, 6, args.student_lr, args.student_seconds - first["seconds"], **fit)
    logits = predict(student, encoded, check, args.tokens, device)
    result["student_checked"] = checked([rows[i] for i in check], torch.from_numpy(logits).softmax(1).numpy())
    if held_out:
        np.save(args.out / "student.npy", predict(student, encoded, held_out, args.tokens, device).astype(np.float16))
    result |= {"seconds": round(time.monotonic() - began), "lr": args.student_lr, "longest": LONGEST, "data": DATA}
    (args.out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    save(student, args.out)


def read(path: Path) -> list[Row]:
    """Read what `pairs.py` wrote."""
    with lzma.open(path, "rt") as handle:
        file = json.load(handle)
    return [Row(file["texts"][claim], file["texts"][evidence], *rest) for claim, evidence, *rest in file["rows"]]


def load(folder: Path) -> torch.nn.Module:
    """The encoder of `folder` with a new head of three classes."""
    config = AutoConfig.from_pretrained(folder)
    config.num_labels = len(LABELS)
    model = AutoModelForSequenceClassification.from_config(config)
    weights: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        weights |= load_file(path)
    scales = {k.removesuffix("#scale"): v for k, v in weights.items() if k.endswith("#scale")}
    whole = {
        k: v.float() * scales[k].float() if k in scales else v.float()
        for k, v in weights.items()
        if not k.endswith("#scale") and "position_ids" not in k
    }
    missing, unexpected = getattr(model, config.model_type).load_state_dict(whole, strict=False)
    print(folder.name, "missing", missing, "unexpected", unexpected)
    return model


def encode(folder: Path, rows: list[Row]) -> Encoded:
    """Tokenise; only the evidence is shortened where a pair is too long."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST, strategy="only_second")
    encoded = Encoded([], [])
    for start in range(0, len(rows), 20_000):
        for e in tokenizer.encode_batch([(_short(r.claim), r.evidence) for r in rows[start : start + 20_000]]):
            encoded.ids.append(np.array(e.ids, np.int32))
            encoded.kinds.append(np.array(e.type_ids, np.int8))
    return encoded


def _short(claim: str) -> str:
    # A claim of more than some 200 tokens leaves no room for evidence.
    return " ".join(claim.split()[:130])


def train_on(
    model: torch.nn.Module, chosen: list[int], epochs: int, lr: float, seconds: float, *, encoded: Encoded,
    allowed: torch.Tensor, soft: torch.Tensor | None, tokens: int, draw: random.Random, device: str,
) -> dict[str, float]:  # fmt: skip
    """Train with warm-up over 5 % and linear decay; the clock counts where it is ahead of the steps."""
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=lr, fused=device == "cuda"
    )
    began, step, losses = time.monotonic(), 0, []
    total = epochs * len(batches(encoded, chosen, tokens, draw))
    share = 0.0
    model.train()
    for _ in range(epochs):
        for batch in batches(encoded, chosen, tokens, draw):
            share = max(step / total, (time.monotonic() - began) / seconds)
            if share >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = lr * max(min(share / 0.05, (1 - share) / 0.95), 1e-3)
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                logits = model(**tensors(model, encoded, batch, device)).logits
            target = None if soft is None else soft[batch].to(device)
            loss = loss_of(logits.float(), allowed[batch].to(device), target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            losses.append(loss.detach())
            if step % 100 == 0:
                mean = torch.stack(losses[-100:]).mean().item()
                print(f"step {step}/{total} {share:.0%} loss {mean:.4f} {time.monotonic() - began:.0f} s", flush=True)
    return {"steps": step, "epochs": round(step / total * epochs, 2), "seconds": round(time.monotonic() - began)}


def loss_of(logits: torch.Tensor, allowed: torch.Tensor, soft: torch.Tensor | None) -> torch.Tensor:
    """-log P(an allowed label), smoothed; with a teacher, half of it and half cross-entropy to the teacher's labels.

    Labels made by rule are not all right; smoothing keeps the model from learning the wrong ones by heart.
    """
    logs = logits.log_softmax(1)
    hard = -torch.logsumexp(logs + torch.log(allowed.clamp(min=1e-9)), 1)
    labelled = (allowed.sum(1) < len(LABELS)).float()
    hard = labelled * (0.95 * hard - 0.05 * logs.mean(1))
    if soft is None:
        return hard.sum() / labelled.sum().clamp(min=1)
    taught = -(soft * logs).sum(1)
    return (torch.where(labelled > 0, 0.5 * hard + 0.5 * taught, taught)).mean()


def batches(encoded: Encoded, chosen: list[int], tokens: int, draw: random.Random) -> list[list[int]]:
    """Cut shuffled indices into batches of like length: at most `tokens` tokens with padding."""
    order = sorted(chosen, key=lambda i: len(encoded.ids[i]) + draw.random() * 12)
    out: list[list[int]] = []
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * len(encoded.ids[i]) > tokens:
            out.append(batch)
            batch = []
        batch.append(i)
    out.append(batch)
    draw.shuffle(out)
    return out


def tensors(model: torch.nn.Module, encoded: Encoded, batch: list[int], device: str) -> dict[str, torch.Tensor]:
    """Pad a batch and move it to the device."""
    width = -(-max(len(encoded.ids[i]) for i in batch) // 8) * 8
    pad = model.config.pad_token_id or 0
    ids = np.full((len(batch), width), pad, np.int64)
    kinds, mask = np.zeros((len(batch), width), np.int64), np.zeros((len(batch), width), np.int64)
    for row, i in enumerate(batch):
        n = len(encoded.ids[i])
        ids[row, :n], kinds[row, :n], mask[row, :n] = encoded.ids[i], encoded.kinds[i], 1
    named = {"input_ids": ids, "attention_mask": mask}
    if model.config.model_type == "bert":
        named["token_type_ids"] = kinds
    return {k: torch.from_numpy(v).to(device, non_blocking=True) for k, v in named.items()}


@torch.no_grad()  # type: ignore[untyped-decorator]
def predict(model: torch.nn.Module, encoded: Encoded, chosen: list[int], tokens: int, device: str) -> np.ndarray:
    """Logits of the chosen pairs, float32 (n, 3)."""
    model.eval()
    place = {i: k for k, i in enumerate(chosen)}
    out = np.zeros((len(chosen), len(LABELS)), np.float32)
    for batch in batches(encoded, chosen, 2 * tokens, random.Random(0)):
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            logits = model(**tensors(model, encoded, batch, device)).logits
        out[[place[i] for i in batch]] = logits.float().cpu().numpy()
    return out


def checked(rows: list[Row], scores: np.ndarray) -> dict[str, list[float]]:
    """Share of right labels by kind, and AUROC of P(supported) between what is supported and what is not."""
    hits: dict[str, list[float]] = defaultdict(list)
    ends: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for row, score in zip(rows, scores, strict=True):
        hits[f"right {row.kind}: {row.label}"].append(float(ALLOWED[row.label][int(score.argmax())]))
        if row.label != "not_enough" or row.kind.startswith(row.source):
            ends[f"auroc {row.kind}"][int(row.label == "supported")].append(float(score[0]))
    table = {name: [round(float(np.mean(v)), 3), len(v)] for name, v in sorted(hits.items())}
    for name, (no, yes) in sorted(ends.items()):
        if no and yes:
            above = (np.array(yes)[:, None] > np.array(no)[None]).mean()
            table[name] = [round(float(above), 3), len(no) + len(yes)]
    for name, (value, n) in table.items():
        print(f"{name:55} {value:.3f} of {n}")
    return table


def save(model: torch.nn.Module, out: Path) -> None:
    """Write in half precision, in files of at most 16 MB."""
    shard: dict[str, torch.Tensor] = {}
    shards, size = [shard], 0
    for name, value in model.state_dict().items():
        half = value.detach().to("cpu", torch.float16).contiguous()
        for i, piece in enumerate(half.chunk(math.ceil(half.nbytes / 5_000_000))):
            if size + piece.nbytes > 15_900_000:
                shard, size = {}, 0
                shards.append(shard)
            shard[f"{name}#{i}"] = piece.clone()
            size += piece.nbytes
    for i, shard in enumerate(shards):
        save_file(shard, out / f"weights-{i}.safetensors")


if __name__ == "__main__":
    main()
