"""ONNX sessions on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracejury.models.local.machine import free_cores


def onnx_session(path: Path | str, threads: int | None = None) -> Any:
    """Return an `onnxruntime.InferenceSession` on the CPU; by default with one thread per free core.

    Raises:
        FileNotFoundError: There is no such file.
        RuntimeError: The file is not an ONNX model, or it is broken.
    """
    import onnxruntime

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such ONNX model")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or free_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin between calls would take the cores that the embedded server needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each way a file can be broken
        raise RuntimeError(f"{path}: onnxruntime cannot load it: {error}") from error
