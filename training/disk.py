"""Recognise that the disk is full, whoever was writing: Python, torch, or the libraries in C++ and Rust below them."""

from __future__ import annotations

import errno


def is_full_disk(error: Exception) -> bool:
    """Return whether an error means that the disk, or a quota, is full.

    torch and safetensors write from C++ and Rust: their errors are no OSError, only their text names the cause.
    """
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
    message = str(error)
    return any(
        sign in message
        for sign in (
            "No space left",
            "File too large",
            "os error 28",
            "os error 27",
            "file write failed",
            "inline_container",
        )
    )
