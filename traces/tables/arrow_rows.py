"""Rows of Parquet and Arrow files, and of data sets that Hugging Face's `datasets` saved to disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracejury.traces.records import Problem

if TYPE_CHECKING:
    import pyarrow as pa

_INSTALL = "pip install 'tracejury[reports]', or write the table as JSON lines or CSV"


def parquet_rows(file: Path) -> Iterator[dict[str, Any] | Problem]:
    """Yield the rows of a Parquet file, streaming."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        yield Problem(file=str(file), reason="reading Parquet needs pyarrow", hint=_INSTALL)
        return
    try:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=256):
            yield from batch.to_pylist()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        reason = f"not a readable Parquet file: {error}"
        yield Problem(file=str(file), reason=reason, hint="fetch it again; it may have been cut off")


def arrow_rows(file: Path) -> Iterator[dict[str, Any] | Problem]:
    """Yield the rows of an Arrow file, in the stream or the file format."""
    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        yield Problem(file=str(file), reason="reading Arrow files needs pyarrow", hint=_INSTALL)
        return
    try:
        with pa.memory_map(str(file)) as source:
            for batch in _batches(source):
                yield from batch.to_pylist()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        reason = f"not a readable Arrow file: {error}"
        yield Problem(file=str(file), reason=reason, hint="fetch it again; it may have been cut off")


def _batches(source: pa.NativeFile) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    if source.read(6) == b"ARROW1":
        reader = pa.ipc.open_file(source)
        yield from (reader.get_batch(i) for i in range(reader.num_record_batches))
        return
    source.seek(0)
    yield from pa.ipc.open_stream(source)


def dataset_folders(path: Path) -> list[tuple[Path, str | None]]:
    """Return the folders of a data set on disk with their splits; empty where `path` is none.

    `save_to_disk` writes `state.json` beside the rows of one data set, and `dataset_dict.json` above a folder a split.
    """
    if (path / "state.json").is_file():
        return [(path, None)]
    names = path / "dataset_dict.json"
    if names.is_file():
        return [(path / str(split), str(split)) for split in json.loads(names.read_text("utf-8")).get("splits", ())]
    return []


def dataset_rows(folder: Path) -> Iterator[dict[str, Any] | Problem]:
    """Yield the rows of one saved data set, over all its files."""
    try:
        state = json.loads((folder / "state.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        yield Problem(file=str(folder), reason=f"no readable state.json: {error}", hint="save the data set again")
        return
    files = [folder / str(part["filename"]) for part in state.get("_data_files", ())] or sorted(folder.glob("*.arrow"))
    for file in files:
        yield from arrow_rows(file)
