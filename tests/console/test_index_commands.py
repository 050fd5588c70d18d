import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from tracejury.console.app import app
from tracejury.models import WeightsError, weights_path
from tracejury.retrieval import Index, Readiness, load_reference_set, plan

LINES = [
    {"id": "a", "title": "Anaphylaxis", "text": "Adrenaline into the thigh muscle is the first drug in anaphylaxis.",
     "citation": "Resuscitation Council, Anaphylaxis, 2021", "license": "CC0", "date": "2021"},
    {"id": "b", "title": "Asthma", "text": "Salbutamol relieves the wheeze of asthma.", "citation": "GINA 2024",
     "superseded_by": "GINA 2025"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def _minilm() -> None:
    try:
        weights_path("minilm")
    except WeightsError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRACEJURY_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("COLUMNS", "160")
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def tracejury(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_build_search_and_look(lines: Path) -> None:
    command = ("index", "build", "jsonl", "--set", f"path={lines}", "--set", "name=mine")
    built = tracejury(*command)
    assert (built.exit_code, "2 passages: 2 added" in built.output) == (0, True), built.output
    assert "up to date" in tracejury(*command).output
    hits = tracejury("index", "search", "first-line drug in anaphylaxis", "-k", "2").output
    assert "1. Anaphylaxis" in hits
    assert "Resuscitation Council, Anaphylaxis, 2021" in hits
    assert "superseded by GINA 2025" in hits
    hits = json.loads(
        tracejury("index", "search", "anaphylaxis", "--json", "--since", "2020", "--source", "mine").output
    )
    assert hits[0]["passage"]["key"] == "a"
    assert json.loads(tracejury("index", "info", "--json").output)["sources"]["mine"]["passages"] == 2
    assert "mine" in tracejury("index", "info").output
    listed = {s["name"]: s for s in json.loads(tracejury("index", "sources", "--json").output)}
    assert (listed["mine"]["passages"], listed["open-medicine"]["passages"]) == (2, None)
    assert {"pubmed", "openfda", "hpo", "icd10cm", "medlineplus", "ngc", "documents", "csv"} <= listed.keys()
    assert not [s for s in listed.values() if "cannot be loaded" in s["license"]]
    assert listed["pubmed"]["license"].startswith("NLM terms")
    assert {"query=", "pmids=", "email="} <= set(listed["pubmed"]["parameters"])
    assert "whole: 1 sources, 2 passages" in tracejury("index", "verify").output


def test_what_is_wrong_is_said_with_the_next_step(lines: Path) -> None:
    for command, message in (
        (("index", "search", "x"), "index build open-medicine"),
        (("index", "search", " "), "give words to search for"),
        (("index", "build", "nosuch"), "nosuch"),
        (("index", "build", "jsonl"), "path"),
        (("index", "build", "jsonl", "--set", "path"), "KEY=VALUE"),
        (("index", "build", "jsonl", "--set", "path=/nosuch.jsonl"), "no such file"),
        (("index", "diff", "/nosuch", "/nosuch"), "no such manifest"),
        (("index", "search", "x", "--finder", "best"), "fused, dense or bm25"),
    ):
        result = tracejury(*command)
        assert result.exit_code == 1, command
        assert message in result.output


def test_a_file_is_listed_until_the_user_vouches_for_it(lines: Path) -> None:
    command = ("index", "build", "jsonl", "--set", f"path={lines}", "--set", "name=mine")
    assert "mine is listed" in tracejury(*command).output
    assert "listed" in tracejury("index", "info").output
    vouched = tracejury(*command, "--trust", "full").output
    assert "up to date" in vouched
    assert "is listed" not in vouched
    trust = {s["name"]: s["trust"] for s in json.loads(tracejury("index", "sources", "--json").output)}
    assert (trust["mine"], trust["documents"], trust["open-medicine"]) == ("full", "listed", "full")
    assert "choose full or listed" in tracejury(*command, "--trust", "much").output


def test_lines_that_cannot_be_read_are_told_and_the_rest_is_indexed(lines: Path) -> None:
    lines.write_text(lines.read_text() + "{broken\n")
    result = tracejury("index", "build", "jsonl", "--set", f"path={lines}")
    assert result.exit_code == 2
    assert "2 passages" in result.output
    assert f"{lines}:3: not valid JSON" in result.output.replace("\n", "")


def test_names_stand_whole_on_a_narrow_screen(lines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = {line.split()[0] for line in tracejury("index", "sources").output.splitlines() if line.strip()}
    assert {"open-medicine", "reference-ranges", "medlineplus"} <= names


def test_brackets_in_names_and_texts_are_shown_as_they_are(lines: Path, tmp_path: Path) -> None:
    """Rich takes [...] for its own markup, and [/...] for a mistake in it."""
    folder = tmp_path / "with ["
    folder.mkdir()
    (folder / "a [final].md").write_text("# Falls [2026]\n\nAssess every patient.")
    (folder / "x].xlsx").write_bytes(b"PK")
    built = tracejury(
        "index", "build", "documents", "--set", f"path={json.dumps(str(folder))}", "--set", "license='[own]'"
    )
    assert built.exit_code == 2, built.output
    assert f"{folder}/x].xlsx: .xlsx is not read" in built.output
    for command in (
        ("index", "info"),
        (
            "index",
            "sources",
        ),
        ("index", "search", "falls"),
    ):
        result = tracejury(*command)
        assert result.exit_code == 0, result.output
        assert "[own]" in result.output


def test_a_recipe_file_and_what_changed(lines: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(f"source: jsonl\nparams: {{path: {lines}, name: mine}}\n")
    assert tracejury("index", "build", str(recipe)).exit_code == 0
    before = tmp_path / "before.json"
    before.write_text((tmp_path / "index" / "manifest.json").read_text())
    lines.write_text(lines.read_text() + json.dumps({"id": "c", "text": "A third passage."}) + "\n")
    assert "1 added" in tracejury("index", "build", str(recipe)).output
    output = tracejury("index", "diff", str(before), str(tmp_path / "index")).output
    assert "mine changed" in output
    assert "passages: 2 -> 3" in output
    recipe.write_text("sauce: jsonl\n")
    assert "sauce" in tracejury("index", "build", str(recipe)).output
    assert tracejury("index", "remove", "mine").exit_code == 0
    assert json.loads(tracejury("index", "info", "--json").output)["sources"] == {}


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    weights = weights_path("minilm").parent
    monkeypatch.setenv("TRACEJURY_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "weights").symlink_to(weights)
    served = tmp_path / "served"
    served.mkdir()
    row = {"id": "T_1", "title": "Anatomy", "content": "The femur is the longest bone.", "contents": "Anatomy."}
    (served / "chunks.jsonl").write_text(json.dumps(row) + "\n")
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/chunks.jsonl"
        server.shutdown()


def test_a_recipe_says_what_is_to_be_fetched_before_it_fetches(lines: Path, tmp_path: Path, publisher: str) -> None:
    content = {
        "sources": [
            {"source": "reference-ranges"},
            {"source": "jsonl", "params": {"path": str(tmp_path / "nosuch.jsonl")}},
            {"source": "medrag", "params": {"path": publisher, "name": "anatomy", "license": "CC BY 4.0"}},
        ]
    }
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(json.dumps(content))
    command = ("index", "build", "--recipe", str(recipe), "--embedder", "minilm")
    planned = tracejury(*command)
    assert planned.exit_code == 0, planned.output
    said = planned.output + planned.stderr
    assert "jsonl: left out" in said
    assert "licence: CC BY 4.0" in said
    assert "MB to fetch" in said
    assert "1 to fetch from their publishers: give the same command with --fetch" in said
    sources = json.loads(tracejury("index", "info", "--json").output)["sources"]
    assert sources.keys() == {"reference-ranges"}
    fetched = tracejury(*command, "--fetch")
    assert "anatomy: 1 passages: 1 added" in fetched.output, fetched.output
    assert "1 to fetch" not in tracejury(*command).stderr, "it is in the cache"


def test_the_shipped_recipe_names_its_licences(monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = load_reference_set("usmle").sources
    assert {"open-medicine", "hpo", "icd10cm", "openstax", "statpearls"} <= {recipe.source for recipe in recipes}
    offline = [recipe for recipe in recipes if "path" not in recipe.params]
    planned = {p.recipe.source: p for p in plan(offline)}
    assert "licence: MIT" in planned["open-medicine"].lines[0]
    assert planned["reference-ranges"].readiness is Readiness.HERE
    assert all(recipe.params["path"].startswith("https://") for recipe in recipes if recipe not in offline)


@pytest.mark.parametrize(
    "arguments", [(), ("open-medicine", "--recipe", "usmle"), ("--recipe", "usmle", "--set", "a=b")]
)
def test_sources_or_a_recipe(lines: Path, arguments: tuple[str, ...]) -> None:
    refused = tracejury("index", "build", *arguments)
    assert refused.exit_code == 1
    assert "--recipe" in refused.output + refused.stderr or "--set" in refused.output + refused.stderr


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (KeyboardInterrupt(), "the same command continues from here"),
        (RuntimeError("Failed to apply logs to the metadata segment"), "the disk is full (Failed to apply logs"),
    ],
)
def test_a_build_that_is_stopped_says_how_it_goes_on(
    lines: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, says: str
) -> None:
    def stopped(*_: object, **__: object) -> None:
        (lines.parent / "index").mkdir()
        raise fault

    monkeypatch.setattr(Index, "build", stopped)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1 << 20))
    stopped_build = tracejury("index", "build", "jsonl", "--set", f"path={lines}", "--set", "name=mine")
    assert stopped_build.exit_code in (1, 130)
    assert says in f"{stopped_build.output} {stopped_build.exception}"
