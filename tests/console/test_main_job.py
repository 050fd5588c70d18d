"""The main job on real input with real components, as a user runs it: read, adjudicate, show, summary, export.

Real calls to the small model are few: the first steps of the two shortest traces of the real set, one of them through a
server that was started by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tracejury.agents import load_panel
from tracejury.console.app import app
from tracejury.ledger import Ledger, StepRow
from tracejury.models import EmbeddedServer, is_fetched, weights_path
from tracejury.retrieval import check_quote
from tracejury.traces import Batch, Trace, write_batch


def tracejury(*args: object, ok: tuple[int, ...] = (0,)) -> str:
    result = CliRunner(env={"COLUMNS": "120", "NO_COLOR": "1"}).invoke(app, list(map(str, args)))
    assert result.exit_code in ok, f"{args}: exit {result.exit_code}\n{result.output[-1500:]}"
    return result.stdout


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    for name in ("minilm", "smollm2-135m"):
        if not is_fetched(name):
            pytest.skip(f"weights {name} are not fetched: tracejury models fetch {name}")
    folder = tmp_path_factory.mktemp("main-job")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def batch(work: Path, shared_data: Path) -> Path:
    tracejury("read", "mr-ben", shared_data / "mr_ben" / "medicine_dev_subset.json", "--out", work / "mrben")
    return work / "mrben"


def beginning(batch: Path, place: int, steps: int, out: Path) -> Trace:
    """Write the first steps of one of the shortest traces as a batch of its own."""
    opened = Batch.open(batch)
    traces = sorted(opened.traces(), key=lambda t: (len(t.steps or ()), len(t.text), t.id))
    whole = [t for t in traces if t.steps and len(t.steps) > steps][place]
    first = tuple(s.model_copy(update={"start": None, "end": None}) for s in (whole.steps or ())[:steps])
    trace = Trace(question_id=whole.question_id, model=whole.model, text="\n".join(s.text for s in first), steps=first)
    question = opened.question(whole.question_id)
    assert question is not None
    write_batch([question, trace], out)
    return trace


def rows_of(text: str) -> list[StepRow]:
    return [StepRow.model_validate_json(line) for line in text.splitlines()]


def assert_verified_quotes_stand_in_their_evidence(store: str, run_name: str) -> int:
    """Look every quote that is marked verified up in the evidence that its case showed."""
    ledger, checked = Ledger(store), 0
    run = ledger.run(run_name)
    for trace, question, _ in ledger.traces(run):
        for deliberation in ledger.deliberations(run, trace.id):
            assert deliberation.case is not None
            texts = {p.id: p.text for p in deliberation.case.passages} | {"vignette": question.stem}
            texts |= {f"step:{c.index}": c.text for c in deliberation.case.context}
            texts |= {
                h.passage.id: h.passage.text for h in (deliberation.resolution.hits if deliberation.resolution else ())
            }
            for opinion in deliberation.opinions:
                for citation in (c for c in opinion.citations if c.verified):
                    text = texts[citation.evidence_id]
                    assert check_quote(citation.quote, text).verified
                    assert citation.start is not None
                    assert text[citation.start : citation.end]
                    checked += 1
    return checked


@pytest.mark.llm
def test_real_traces_in_verdicts_out(work: Path, batch: Path) -> None:
    trace = beginning(batch, 0, 2, work / "first")
    store = f"sqlite:///{work}/ledger.db"
    command = (
        "adjudicate",
        work / "first",
        "--only",
        trace.id,
        "--panel",
        "embedded",
        "--run",
        "real",
        "--store",
        store,
    )
    # 2: some steps failed, which a model this small may bring about; they are told apart below.
    progress = json.loads(tracejury(*command, "--json", ok=(0, 2)))
    assert progress["traces"] == 1
    rows = rows_of(tracejury("export", "real", "--store", store))
    panel = load_panel("embedded")
    assert [r.step_index for r in rows] == [0, 1]
    for row in rows:
        assert row.outcome in ("supported", "error", "abstained", "failed")
        assert [o.judge for o in row.opinions] == [j.name for j in panel.judges]
        assert row.label in ("supported", "error", None)
    assert_verified_quotes_stand_in_their_evidence(store, "real")
    deliberations = Ledger(store).deliberations(Ledger(store).run("real"), trace.id)
    assert all(d.case is not None and d.case.passages for d in deliberations)

    page = tracejury("show", "real", "--trace", trace.id, "--step", 1, "--store", store)
    for expected in ("evidence", "verdict", *(j.name for j in panel.judges)):
        assert expected in page
    assert "real" in tracejury("summary", "real", "--store", store)
    assert json.loads(tracejury("ledger", "runs", "--json", "--store", store))[0]["run"]["name"] == "real"
    assert json.loads(tracejury("show", "real", "--trace", trace.id, "--json", "--store", store))


@pytest.mark.llm
def test_a_server_started_by_hand_is_addressed_as_an_endpoint(work: Path, batch: Path) -> None:
    beginning(batch, 1, 1, work / "second")
    body = yaml.safe_load((Path(__file__).parents[2] / "configs" / "panels" / "embedded.yaml").read_text())
    with EmbeddedServer(weights_path("smollm2-135m"), context=4096) as server:
        endpoint = {"model": "any", "base_url": server.base_url, "max_concurrency": 1, "prefix_cache": True}
        body["endpoints"] = {"small": endpoint}
        body["judges"] = [j for j in body["judges"] if j["judge"] in ("data", "inference")]
        body["retrieval"] = {"sources": []}
        (work / "by-hand.yaml").write_text(yaml.safe_dump({"name": "by-hand"} | body))
        store = f"sqlite:///{work}/by-hand.db"
        command = ("adjudicate", work / "second", "--panel", work / "by-hand.yaml", "--run", "hand", "--store", store)
        tracejury(*command, ok=(0, 2))
    rows = rows_of(tracejury("export", "hand", "--store", store))
    assert len(rows) == 1
    opinions = [o for row in rows for o in row.opinions if o.judge == "inference"]
    assert len(opinions) == len(rows)
    assert {o.model for o in opinions} == {"any"}
    assert all(row.calls >= 1 and row.prompt_tokens > 100 for row in rows)
