"""Weights from the Hugging Face hub, or from a mirror at `HF_ENDPOINT`: one file by `REPOSITORY:FILE[@REVISION]`.

The hub says a file's SHA-256. It must be that of what arrives, and is pinned beside the file: a later fetch of the same
name, and every load, are held to it.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from tracejury.models.local.errors import WeightsError
from tracejury.storage import file_digest, replacing_file
from tracejury.traces import Record

_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+):(?P<file>[\w./+-]+?\.gguf)(?:@(?P<revision>[\w.-]+))?", re.ASCII)


class HubFile(NamedTuple):
    """One file of one repository."""

    repository: str
    file: str
    revision: str = "main"

    def __str__(self) -> str:
        """Return the name without the revision, as panels write it."""
        return f"{self.repository}:{self.file}"


class HubPin(Record):
    """What a fetched file must be; it stands beside the file."""

    name: str
    revision: str
    """The commit of the repository."""
    sha256: str
    size: int


def hub_file(name: str) -> HubFile | None:
    """Return the file that `REPOSITORY:FILE[@REVISION]` names; None: it is no such name."""
    match = _NAME.fullmatch(name)
    if match is None or ".." in match["file"].split("/"):
        return None
    return HubFile(match["repository"], match["file"], match["revision"] or "main")


def pinned(root: Path, hub_file: HubFile) -> HubPin | None:
    """Return the pin of a file that is fetched; None: it is not, or not whole."""
    return _pin_of(hub_path(root, hub_file))


def pinned_files(root: Path) -> list[tuple[HubPin, Path]]:
    """Return what was fetched from the hub, by name."""
    files = []
    for pin_path in sorted((root / "hub").rglob("*.gguf.json")):
        path = pin_path.with_suffix("")
        if (pin := _pin_of(path)) is not None:
            files.append((pin, path))
    return files


def _pin_of(path: Path) -> HubPin | None:
    try:
        pin = HubPin.model_validate_json(_pin_path(path).read_bytes())
    except (OSError, ValidationError):
        # Cut off or changed: the file counts as not fetched, and is fetched again.
        return None
    return pin if path.is_file() and path.stat().st_size == pin.size else None


def hub_path(root: Path, hub_file: HubFile) -> Path:
    """Return where the file is, or will be, below the folder of weights."""
    return root / "hub" / hub_file.repository.replace("/", "--") / hub_file.file


def fetch_from_hub(root: Path, hub_file: HubFile, sha256: str | None, from_file: Path | None) -> Path:
    """Fetch a file unless it is there; return its path.

    Args:
        root: The folder of weights.
        hub_file: The file.
        sha256: What its hash must be; None: what the hub says, or what was pinned when it was first fetched.
        from_file: A copy of the file; None: it is downloaded.

    Raises:
        WeightsError: There is no such file, it may not be read, the hub cannot be reached, or the hash is another one.
    """
    path = hub_path(root, hub_file)
    pin = pinned(root, hub_file)
    if pin is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        pin = _copy(hub_file, path, sha256, from_file) if from_file else _download(hub_file, path, sha256)
        with replacing_file(_pin_path(path)) as partial:
            partial.write_text(pin.model_dump_json(indent=2) + "\n", "utf-8")
    if sha256 is not None and pin.sha256 != sha256.lower():
        raise WeightsError(
            f"{hub_file} is fetched with SHA-256 {pin.sha256}, not {sha256}; remove {path} to fetch again"
        )
    return path


def _pin_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _copy(hub_file: HubFile, path: Path, sha256: str | None, offered: Path) -> HubPin:
    source = offered / Path(hub_file.file).name if offered.is_dir() else offered
    if not source.is_file():
        raise WeightsError(f"{source}: no such file")
    with replacing_file(path) as partial:
        shutil.copyfile(source, partial)
        digest = file_digest(partial)
        _compare(hub_file, digest, sha256)
    return HubPin(name=str(hub_file), revision="copied", sha256=digest, size=path.stat().st_size)


def _download(hub_file: HubFile, path: Path, sha256: str | None) -> HubPin:
    from httpx import HTTPError
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError
    from huggingface_hub.utils import disable_progress_bars

    endpoint = os.environ.get("HF_ENDPOINT") or None
    scratch = path.parent / ".fetch"
    disable_progress_bars()  # the command shows that it works, and a server's log wants no bars
    try:
        address = hf_hub_url(hub_file.repository, hub_file.file, revision=hub_file.revision, endpoint=endpoint)
        metadata = get_hf_file_metadata(address, endpoint=endpoint)
        expected = (sha256 or metadata.etag or "").lower()
        if not re.fullmatch("[0-9a-f]{64}", expected):
            raise WeightsError(f"the hub says no SHA-256 for {hub_file}: give the one that it must have with --sha256")
        commit = metadata.commit_hash or hub_file.revision
        # An interrupted download goes on where it was.
        arrived = hf_hub_download(
            hub_file.repository, hub_file.file, revision=commit, local_dir=scratch, endpoint=endpoint
        )
    except GatedRepoError as error:
        raise WeightsError(
            f"{hub_file.repository} is gated: accept its terms on the hub, and put a token of yours into HF_TOKEN"
        ) from error
    except (RepositoryNotFoundError, EntryNotFoundError) as error:
        # The hub gives no reason for a private repository either.
        hint = "see `tracejury models list` for names, or put a token into HF_TOKEN if it is private"
        raise WeightsError(f"the hub has no {hub_file} at {hub_file.revision!r}: {hint}") from error
    except (HTTPError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"{hub_file} cannot be downloaded: {reason}\nBehind a mirror set HF_ENDPOINT; without a network download "
            f"the file elsewhere and run `tracejury models fetch {hub_file} --from FILE`."
        ) from error
    digest = file_digest(Path(arrived))
    try:
        _compare(hub_file, digest, expected)
    except WeightsError:
        shutil.rmtree(scratch)
        raise
    os.replace(arrived, path)
    shutil.rmtree(scratch)
    return HubPin(name=str(hub_file), revision=commit, sha256=digest, size=path.stat().st_size)


def _compare(hub_file: HubFile, digest: str, expected: str | None) -> None:
    if expected is not None and digest != expected.lower():
        raise WeightsError(f"{hub_file} has SHA-256 {digest}, pinned is {expected}; it is broken or of another version")
