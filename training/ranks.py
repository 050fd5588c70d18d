"""Which of several processes this one is, under `accelerate launch` or `torchrun`: the first alone writes files."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Return whether this process writes: it is the only one, or the one of rank 0."""
    return int(os.environ.get("RANK", "0")) == 0


def own_device() -> str:
    """Return the torch device of this process: its own GPU, or the CPU."""
    import torch

    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


def wait_for_all() -> None:
    """Wait until every process has come here; alone, return at once."""
    import torch.distributed

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
