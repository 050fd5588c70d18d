"""Two planted keys, a server that gives them back in every way it can, and every byte that the commands write."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
import urllib.parse
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from local_panel import GOOD, panel_body, write_traces
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.console.app import app
from tracejury.models import cache_dir, is_fetched

# Characters that JSON, addresses and shells would each write in a way of their own.
IN_ENVIRONMENT = 'sk-planted/env+0123456789"abcdef=='
IN_FILE = "sk-planted/file+9876543210$fedcba=="
DEBUG = "import logging; logging.basicConfig(level=logging.DEBUG); from tracejury.console.app import main; main()"
MODES = ("ok", "echo-key", "tell-key", "401", "garbled", "prose", "429", "refusal")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not is_fetched("minilm"):
        pytest.skip("weights minilm are not fetched: tracejury models fetch minilm")
    folder = tmp_path_factory.mktemp("planted")
    # A cache of its own, so that what lands there is searched as well.
    (folder / "cache").mkdir()
    (folder / "cache" / "weights").symlink_to(cache_dir() / "weights")
    return folder


def spellings(key: str) -> list[bytes]:
    """The key in the ways that a program might write it; halves, since a masked key is still half told."""
    quoted = urllib.parse.quote(key, safe="")
    basic = base64.b64encode(key.encode()).decode().rstrip("=")[:-2]
    middle = key[11:-4]
    return [text.encode() for text in (key, quoted, basic, middle, urllib.parse.quote(middle, safe=""), key[3:14])]


def bytes_under(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        yield str(path), path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path}/{name}", archive.read(name)) for name in archive.namelist())
        if path.suffix == ".parquet":
            import pyarrow.parquet

            yield f"{path} (unpacked)", str(pyarrow.parquet.read_table(path).to_pylist()).encode()


def test_keys_are_found_in_nothing_that_a_run_writes(
    work: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys = work / "secret" / "keys"
    keys.parent.mkdir()
    keys.write_text(f"FILED_KEY='{IN_FILE}'\n")
    keys.chmod(0o600)
    for name, value in {
        "PLANTED_KEY": IN_ENVIRONMENT, "TRACEJURY_KEYS": str(keys), "TRACEJURY_CACHE": str(work / "cache"),
        "OPENAI_LOG": "debug", "LANGCHAIN_VERBOSE": "true", "PYTHONASYNCIODEBUG": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(work)
    caplog.set_level(logging.DEBUG)
    outputs = work / "said"
    outputs.mkdir()

    def write(name: object, text: bytes) -> None:
        (outputs / f"{len(list(outputs.iterdir()))}-{name}").write_bytes(text)

    def adjudicate(*args: object, code: int) -> None:
        command = [sys.executable, "-c", DEBUG, "adjudicate", *map(str, args)]
        result = subprocess.run(command, capture_output=True)
        write("adjudicate", result.stdout + result.stderr)
        assert result.returncode == code, result.stderr[-2000:].decode()

    def tracejury(*args: object, ok: tuple[int, ...] = (0,)) -> None:
        result = CliRunner().invoke(app, [str(a) for a in args])
        write(args[0], result.output.encode())
        assert result.exit_code in ok, result.output[-2000:]

    texts = [[f"The cough in case {n} has lasted three days, at <{mode}>."] for n, mode in enumerate(MODES)]
    traces = write_traces(work, texts)
    (work / "notes").mkdir()
    (work / "notes" / "cough.txt").write_text("A cough is acute for three weeks, subacute for eight, and then chronic.")
    params = (f"path={work / 'notes'}", "name=notes", "license=internal")
    tracejury("index", "build", "documents", *(word for param in params for word in ("--set", param)))
    with ModelServer(reply=GOOD, match={f"<{mode}>": mode for mode in MODES}, retry_after_s=0.05) as server:
        body = panel_body(
            server.url, retrieval={"sources": ["notes"]}, endpoint={"timeout_s": 30.0, "deadline_s": 120.0}
        )
        body["endpoints"]["filed"] = body["endpoints"]["local"] | {"api_key_env": "FILED_KEY", "model": "m2"}
        body["endpoints"]["local"]["api_key_env"] = "PLANTED_KEY"
        body["judges"][1]["endpoint"] = "filed"
        panel = work / "panel.yaml"
        panel.write_text(yaml.safe_dump(body))
        adjudicate(traces, "--panel", panel, "--run", "r", code=2)
        assert server.counts()["modes"]["tell-key"]
        assert server.counts()["modes"]["echo-key"]
        adjudicate(traces, "--panel", panel, "--run", "other", "--segmenter", "nobody", code=2)
    tracejury("adjudicate", traces, "--panel", panel, "--dry-run")
    for trace_id, mode in traces_of(work):
        if "key" in mode:
            tracejury("show", "r", "--trace", trace_id, "--step", 1)
    for ending in ("jsonl", "csv", "parquet"):
        tracejury("export", "r", "--out", work / f"rows.{ending}")
    tracejury("report", "r", "--out", work / "report.html", ok=(0, 1, 2))
    tracejury("view", "r", "--export", work / "site")
    tracejury("review", "sample", "r", "--out", work / "review")
    tracejury("summary", "r")
    tracejury("ledger", "runs", "--json")
    tracejury("panels", "show", panel)
    tracejury("doctor", ok=(0, 1))
    write("log", caplog.text.encode())
    keys.unlink()

    searched = dict(bytes_under(work))
    assert sum(b"[key]" in content for content in searched.values()) >= 5, "the server did give the keys back"
    places = [
        (name, spelled)
        for name, content in searched.items()
        for key in (IN_ENVIRONMENT, IN_FILE)
        for spelled in spellings(key)
        if spelled in content
    ]
    assert not places


def traces_of(work: Path) -> list[tuple[str, str]]:
    from tracejury.ledger import Ledger

    ledger = Ledger(f"sqlite:///{work}/tracejury.db")
    traces = ledger.traces(ledger.run("r"))
    return [(trace.id, mode) for trace, _, _ in traces for mode in MODES if f"<{mode}>" in trace.text]
