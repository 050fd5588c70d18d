"""Files of the Hugging Face hub, from a stand-in on loopback."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_panel import write_traces
from servers.hub import COMMIT, REPOSITORY, Hub
from typer.testing import CliRunner

from tracejury.agents import load_panel
from tracejury.console.app import app
from tracejury.models import (
    BEST_FETCHED,
    CATALOGUE,
    WeightsError,
    best_fetched,
    fetch,
    is_fetched,
    weights_digest,
    weights_path,
)

SMALL, LARGE = f"{REPOSITORY}:small.gguf", f"{REPOSITORY}:quant/large.gguf"
BODIES = {"small.gguf": b"GGUF small" * 2000, "quant/large.gguf": b"GGUF large" * 20_000}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    with Hub(BODIES) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def test_a_file_is_fetched_pinned_and_used_by_its_name(hub: Hub, tmp_path: Path) -> None:
    fetched = CliRunner().invoke(app, ["models", "fetch", SMALL])
    assert fetched.exit_code == 0, fetched.output
    path = weights_path(SMALL)
    assert path.read_bytes() == BODIES["small.gguf"]
    assert str(path) in fetched.output
    assert weights_digest(SMALL) == hashlib.sha256(BODIES["small.gguf"]).hexdigest()
    listed = {row["name"]: row for row in json.loads(CliRunner().invoke(app, ["models", "list", "--json"]).output)}
    assert listed[SMALL]["path"] == str(path)
    assert json.loads(path.with_name("small.gguf.json").read_text())["revision"] == COMMIT
    before = len(hub.requests)
    assert fetch(SMALL) == path
    assert len(hub.requests) == before, "what is there is not asked for again"


def test_a_download_that_breaks_off_goes_on(hub: Hub) -> None:
    hub.breaks_after = 100_000
    assert fetch(LARGE).read_bytes() == BODIES["quant/large.gguf"]
    assert sum(request.startswith("GET") for request in hub.requests) == 2


@pytest.mark.parametrize(
    ("state", "name", "message"),
    [
        ("gated", SMALL, "accept its terms"),
        ("absent", SMALL, "the hub has no"),
        ("open", f"{REPOSITORY}:none.gguf", "the hub has no"),
        ("open", "not-a-name", r"REPOSITORY:FILE\.gguf"),
        ("open", f"{REPOSITORY}:../../out.gguf", "no weights named"),
    ],
)
def test_what_the_hub_refuses_is_said_with_what_to_do(hub: Hub, state: str, name: str, message: str) -> None:
    hub.state = state
    with pytest.raises(WeightsError, match=message):
        fetch(name)
    with pytest.raises(WeightsError):
        weights_path(name)


def test_an_unreachable_hub_is_a_message(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"cannot be downloaded.*\n.*HF_ENDPOINT"):
        fetch(SMALL)


def test_a_file_with_another_hash_is_refused(hub: Hub) -> None:
    hub.says_sha256 = "0" * 64
    with pytest.raises(WeightsError, match="pinned is 0000"):
        fetch(SMALL)
    assert not is_fetched(SMALL)
    hub.says_sha256 = "an-etag-without-a-hash"
    with pytest.raises(WeightsError, match="--sha256"):
        fetch(SMALL)
    right = hashlib.sha256(BODIES["small.gguf"]).hexdigest()
    assert fetch(SMALL, sha256=right)
    with pytest.raises(WeightsError, match="is fetched with SHA-256"):
        fetch(SMALL, sha256="1" * 64)


def test_a_file_that_changed_after_it_was_fetched_is_refused_at_load(hub: Hub) -> None:
    path = fetch(SMALL)
    path.write_bytes(BODIES["small.gguf"][:-1] + b"!")
    with pytest.raises(WeightsError, match="was changed after it was fetched"):
        weights_digest(SMALL)


def test_a_pin_that_cannot_be_read_is_fetched_again(hub: Hub) -> None:
    path = fetch(SMALL)
    path.with_name(path.name + ".json").write_text("{cut")
    assert not is_fetched(SMALL)
    assert CliRunner().invoke(app, ["models", "list"]).exit_code == 0
    assert fetch(SMALL) == path
    assert is_fetched(SMALL)


def test_the_panel_local_uses_the_largest_judge(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert best_fetched() is None
    assert load_panel("local").endpoints["local"].model == BEST_FETCHED
    with pytest.raises(WeightsError, match="models fetch"):
        weights_path(BEST_FETCHED)
    traces = write_traces(tmp_path, [["The fever is high."]])
    refused = CliRunner().invoke(app, ["adjudicate", str(traces), "--panel", "local"])
    assert refused.exit_code == 1
    assert "tracejury models fetch qwen3-4b" in refused.output
    fetch(LARGE)
    fetch(SMALL)
    assert load_panel("local").endpoints["local"].model == LARGE
    monkeypatch.setitem(CATALOGUE, "qwen3-4b", CATALOGUE["qwen3-4b"]._replace(hub=LARGE))
    assert best_fetched() == "qwen3-4b", "a recommended judge has its own name"
