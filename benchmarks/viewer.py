"""How long every page of the viewer takes over 100,000 traces and about a million steps, and what memory it needs.

    python benchmarks/viewer.py --traces 100000 --store sqlite:////tmp/big.db --out benchmarks/results/viewer.json

The ledger is synthetic: the demo's traces with a case number each and the deliberations of `tests/made_ledger.py`,
written in bulk; the server is the real one, asked over HTTP, one request after another. With `--before TREE
--before-store URL` the server of another checkout, over its own copy of the ledger, is asked each page in turn, so that
a busy machine costs both the same; the processor time a page is the server's own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from made_ledger import deliberations, demo_pairs, panel
from sqlalchemy import event, func, insert, select

from tracejury.agents import Deliberation
from tracejury.ledger import Browsing, Ledger, Run, RunManifest, StepBrowsing, TraceFilter
from tracejury.ledger.tables import carried, deliberation_table, evidence, question_table, tally, trace_table
from tracejury.ledger.trace_statistics import recount_tallies
from tracejury.ledger.word_index import STEPS_A_TRACE, StepEntry, put_steps, put_trace_words, step_facets
from tracejury.ledger.writer import _columns
from tracejury.traces import Question, Trace, content_id, segment

NAME = "judge_panel"
LONG = 200_000
"""Characters of a step."""
LONG_NAME = "long_steps"
CHUNK = 500


def light(made: Deliberation) -> Deliberation:
    """Leave out raw replies, further citations and earlier steps, which make a real body of 10 kB.

    Pages read 20 bodies at most.
    """
    opinions = tuple(
        o.model_copy(update={"calls": (), "findings": (), "citations": o.citations[:1]}) for o in made.opinions
    )
    case = made.case and made.case.model_copy(update={"context": (), "passages": made.case.passages[:1]})
    return made.model_copy(update={"opinions": opinions, "case": case, "retrieved": ()})


_CASE = "(Case 0.)"
_TAIL = "Case 0."


class Template:
    """A demo trace with its deliberations as rows and as texts, which are filled in for every copy of it."""

    def __init__(self, asked: Question, taken: Trace) -> None:
        self.asked = asked.model_copy(update={"stem": f"{asked.stem} {_CASE}"})
        self.taken = Trace.model_validate(
            taken.model_dump() | {"question_id": self.asked.id, "text": f"{taken.text}\n{_TAIL}"}
        )
        self.cut = segment(taken)
        self.made = [light(d) for d in deliberations(asked, taken, self.cut)]
        self.rows = [_columns("", d) for d in self.made]
        self.question_body = self.asked.model_dump_json()
        self.trace_body = self.taken.model_dump_json()

    def question(self, number: int) -> tuple[str, str]:
        """Return id and body of the question with a case number of its own; copying the record costs a millisecond."""
        stem = self.asked.stem.replace(_CASE, f"(Case {number}.)")
        return content_id("q", stem, dict(self.asked.options)), self.question_body.replace(
            _CASE, f"(Case {number}.)"
        ).replace(f'"key":"{self.asked.key}"', f'"key":"{self.asked.key}-{number}"')

    def trace(self, question_id: str, sample: int, n: int) -> tuple[str, str, str]:
        """Return id, text and body of a trace of that question."""
        text = f"{self.taken.text.removesuffix(_TAIL)}Case {n}."
        trace_id = content_id("t", question_id, self.taken.model, self.taken.arm, sample, text, None)
        body = self.trace_body.replace(self.taken.question_id, question_id).replace(
            f'"sample":{self.taken.sample}', f'"sample":{sample}'
        )
        return trace_id, text, body.replace(f'\\n{_TAIL}"', f'\\nCase {n}."')


def _hurry(connection: Any, _record: Any) -> None:
    """Set SQLite to write fast; what a power cut would cost is built again."""
    if isinstance(connection, sqlite3.Connection):
        for pragma in ("synchronous=OFF", "cache_size=-1500000", "foreign_keys=OFF", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")


def _longer(taken: Trace, more: Trace) -> Trace:
    """Return a trace of about eleven steps: one of the demo's and, for its length alone, the next question's."""
    return Trace.model_validate(taken.model_dump() | {"text": f"{taken.text}\n\n{more.text}"})


def build(ledger: Ledger, traces: int) -> Run:
    """Write the ledger, unless it is there."""
    opened = ledger.open_run(panel(), RunManifest(panel="panel_made", segmenter="auto"), NAME)
    with ledger.engine.connect() as connection:
        if connection.scalar(select(func.count()).where(tally.c.run_id == opened.run.id)) == traces:
            return ledger.run(NAME)
    demo = demo_pairs()
    templates = [Template(asked, _longer(taken, demo[(i + 2) % len(demo)][1])) for i, (asked, taken) in enumerate(demo)]
    pairs = [(templates[i], templates[i + 1]) for i in range(0, len(templates), 2)]
    began = time.monotonic()
    indexes = [index for table in (deliberation_table, carried) for index in table.indexes]
    for index in indexes:
        index.drop(ledger.engine)
    event.listen(ledger.engine, "connect", _hurry)
    ledger.engine.dispose()
    for at in range(0, traces, CHUNK):
        with ledger.engine.connect().execution_options(write=True) as connection, connection.begin():
            steps: list[dict[str, Any]] = []
            cites: list[dict[str, Any]] = []
            questions: list[dict[str, Any]] = []
            rows: list[dict[str, Any]] = []
            tallies: list[dict[str, Any]] = []
            words: list[tuple[int, str]] = []
            step_entries: list[StepEntry] = []
            for n in range(at, min(at + CHUNK, traces)):
                # Two arms, four samples of each question.
                number, arm, sample = n // 8, n % 2, n // 2 % 4
                template = pairs[number % len(pairs)][arm]
                question_id, question_body = template.question(number)
                trace_id, text, trace_body = template.trace(question_id, sample, n)
                if n % 8 == 0:
                    questions.append({"id": question_id, "body": question_body})
                answer, gold = template.taken.answer, template.asked.gold
                shared = {
                    "run_id": opened.run.id, "question_id": question_id, "model": template.taken.model,
                    "arm": template.taken.arm, "sample": sample, "steps": len(template.cut.steps),
                }  # fmt: skip
                rows.append(
                    shared
                    | {
                        "id": trace_id,
                        "answer": answer,
                        "gold": gold,
                        "answer_correct": answer == gold,
                        "closed": True,
                        "body": trace_body,
                        "segmentation": template.cut.model_dump(mode="json", exclude={"steps"}),
                    }
                )
                tallies.append(
                    shared
                    | {"n": n + 1, "trace_id": trace_id, "correct": answer == gold, "answered": answer is not None}
                )
                words.append((n + 1, f"{template.asked.stem} Case {number} \n{text}"))
                for made, old in zip(template.made, template.rows, strict=True):
                    step = made.step
                    name = content_id("s", trace_id, step.index, step.start, step.end, step.text)
                    body = old["body"].replace(step.id, name).replace(step.trace_id, trace_id)
                    steps.append(old | {"run_id": opened.run.id, "step_id": name, "trace_id": trace_id, "body": body})
                    facets = step_facets(opened.run.id, shared["arm"], shared["model"], old)
                    step_entries.append(StepEntry((n + 1) * STEPS_A_TRACE + step.index, step.text, facets))
                    cites += [
                        {"run_id": opened.run.id, "evidence_id": e, "step_id": name, "trace_id": trace_id,
                         "step_index": step.index, "outcome": made.verdict.outcome.value}
                        for e in {c.evidence_id for c in made.verdict.citations}
                    ]  # fmt: skip
            connection.execute(insert(question_table), questions)
            connection.execute(insert(trace_table), rows)
            connection.execute(insert(tally), tallies)
            for number, text in words:
                put_trace_words(connection, number, text)
            put_steps(connection, step_entries)
            connection.execute(insert(deliberation_table), steps)
            if cites:
                connection.execute(insert(carried), cites)
        if at % 10_000 == 0:
            print(f"{at:,} traces, {time.monotonic() - began:.0f} s", flush=True)
    with ledger.engine.connect().execution_options(write=True) as connection, connection.begin():
        seen = {c.evidence_id: c for t in templates for d in t.made for c in d.verdict.citations}
        for name, c in seen.items():
            values = {"run_id": opened.run.id, "id": name, "source": c.source, "citation": c.citation, "body": ""}
            connection.execute(insert(evidence), values)
    event.remove(ledger.engine, "connect", _hurry)
    for index in indexes:
        index.create(ledger.engine)
    with ledger.engine.connect().execution_options(write=True) as connection, connection.begin():
        recount_tallies(connection, opened.run.id)
    ledger.finish(opened.run.id, traces)
    return ledger.run(NAME)


def requests(ledger: Ledger, run: Run, count: int) -> dict[str, Iterator[str]]:
    """Return page -> addresses, drawn by a seed, none twice where a page has parameters."""
    chance = random.Random(0)
    total = Browsing(ledger).traces(run, TraceFilter()).pages
    lines = [
        line
        for _ in range(6)
        for line in Browsing(ledger).traces(run, TraceFilter(page=chance.randrange(1, total + 1))).lines
    ]
    patterns = [p.text for p in StepBrowsing(ledger).patterns(run)]
    names = [r.id for r in StepBrowsing(ledger).references(run)]
    root = f"/runs/{NAME}"
    words = ["labetalol", "potassium", "magnesium toxicity", "heparin", "the answer is", "case 5", "dose kg", "insu"]
    sorts = ["errors", "abstained", "disagreements", "first_error", "steps", "cost"]
    outcomes = ["supported", "error", "abstained", "failed", "no_claim"]
    types = ["factual", "arithmetic", "unsafe_management", "unsupported_inference"]
    judges = [judge.name for judge in run.panel.judges]
    pick = chance.choice

    def repeat(make: Any) -> Iterator[str]:
        return (make() for _ in range(count))

    def trace_page() -> str:
        return f"{root}/traces/{pick(lines).trace_id}"

    return {
        "style sheet (what a request costs)": repeat(lambda: "/static/viewer.css"),
        "runs": repeat(lambda: "/"),
        "run": repeat(lambda: root),
        "traces, any page": repeat(lambda: f"{root}/traces?page={chance.randrange(1, total + 1)}"),
        "traces, sorted": repeat(lambda: f"{root}/traces?sort={pick(sorts)}&page={chance.randrange(1, 40)}"),
        "traces, filtered": repeat(
            lambda: (
                f"{root}/traces?arm={pick(['base', 'distilled'])}&outcome={pick(outcomes)}"
                f"&error_type={pick(types)}&disagreement=1&sort={pick(sorts)}"
            )
        ),
        "traces, right answer and flawed": repeat(lambda: f"{root}/traces?flawed=1&page={chance.randrange(1, 400)}"),
        "traces, unparsable answer": repeat(lambda: f"{root}/traces?answer=unparsable"),
        "traces, searched": repeat(lambda: f"{root}/traces?words={pick(words).replace(' ', '+')}&sort={pick(sorts)}"),
        "traces, one case searched": repeat(lambda: f"{root}/traces?words=case+{chance.randrange(100_000)}"),
        "trace": repeat(trace_page),
        "trace beside another": repeat(
            lambda: (lambda a, b: f"{root}/traces/{a.trace_id}?beside={b.trace_id}")(
                *[x for x in [pick(lines)] for x in Browsing(ledger).siblings(run, x.question_id)[:2]]
            )
        ),
        "deliberation": repeat(lambda: f"{trace_page()}/steps/{1 + chance.randrange(4)}"),
        "judges": repeat(lambda: f"{root}/judges"),
        "disagreements": repeat(lambda: f"{root}/judges/disagreements?page={chance.randrange(1, 2_000)}"),
        "one pattern of votes": repeat(
            lambda: f"{root}/judges/disagreements?votes={urllib.parse.quote(pick(patterns))}"
        ),
        "steps": repeat(lambda: f"{root}/steps?page={chance.randrange(1, 40)}"),
        "steps, filtered": repeat(
            lambda: f"{root}/steps?outcome={pick(outcomes)}&grade={pick(['full', 'part', 'none'])}&arm=distilled"
        ),
        "steps, a judge against the verdict": repeat(
            lambda: f"{root}/steps?judge={pick(judges)}&label=against&page={chance.randrange(1, 5)}"
        ),
        "steps, searched": repeat(lambda: f"{root}/steps?words={urllib.parse.quote(pick(words))}&outcome=error"),
        "steps of every run, searched": repeat(lambda: f"/steps?words={urllib.parse.quote(pick(words))}"),
        "step out of a list of steps": repeat(lambda: f"{trace_page()}?list=steps&outcome=error&judge=facts"),
        "calls in time": repeat(lambda: f"{trace_page()}/timeline"),
        "comparison": repeat(lambda: f"/compare?a={NAME}:base&b={NAME}:distilled"),
        "sources": repeat(lambda: f"{root}/sources"),
        "source": repeat(lambda: f"{root}/sources/{pick(names)}?page={chance.randrange(1, 2_000)}"),
        "review": repeat(lambda: f"{root}/review/KB?at={chance.randrange(150)}"),
    }


def long_trace(ledger: Ledger) -> str:
    """Write a run of one trace with steps of 200 kB, unless it is there; return the trace's page."""
    asked, taken = demo_pairs()[0]
    paragraph = "Potassium is measured before insulin is started, since insulin lowers it further. "
    short = segment(taken)
    texts = tuple(f"Step {step.index}: {paragraph * (LONG // len(paragraph))}" for step in short.steps)
    steps = [{"text": text} for text in texts]
    long = Trace.model_validate(taken.model_dump() | {"text": "\n\n".join(texts), "steps": steps})
    cut = segment(long)
    run = ledger.open_run(panel(), RunManifest(panel="panel_made", segmenter="auto"), LONG_NAME).run
    with ledger.engine.connect().execution_options(write=True) as connection, connection.begin():
        ledger.put_trace(connection, run.id, long, asked, cut)
        for made, step in zip(deliberations(asked, taken, short), cut.steps, strict=True):
            own = {"step_id": step.id, "trace_id": long.id, "step": step.text}
            case = made.case and made.case.model_copy(update=own)
            ledger.put_deliberation(connection, run.id, made.model_copy(update={"step": step, "case": case}))
    ledger.finish(run.id, 1)
    return f"/runs/{LONG_NAME}/traces/{long.id}"


def ask(url: str) -> float:
    """Return how long a page took, in milliseconds."""
    began = time.perf_counter()
    with urllib.request.urlopen(url, timeout=120) as reply:
        reply.read()
    return (time.perf_counter() - began) * 1_000


class Server:
    """A viewer of one checkout over one ledger."""

    def __init__(self, tree: Path, store: str, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        program = [
            str(Path(sys.executable).with_name("tracejury")),
            "view",
            NAME,
            "--store",
            store,
            "--port",
            str(port),
        ]
        environment = os.environ | {"PYTHONPATH": str(tree / "src")}
        self.process = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.times: dict[str, list[float]] = {}
        self.cpu: dict[str, float] = {}
        while True:
            try:
                ask(f"{self.root}/static/viewer.css")
                break
            except OSError:
                time.sleep(0.1)
        self.idle = self.memory("VmRSS")

    def ask(self, page: str, address: str) -> None:
        before = self.cpu_ms()
        self.times.setdefault(page, []).append(ask(self.root + address))
        self.cpu[page] = self.cpu.get(page, 0.0) + self.cpu_ms() - before

    def cpu_ms(self) -> float:
        """Return the processor time that the server has used; a page that starts work in the background pays for it."""
        user, system = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) * 1_000 / os.sysconf("SC_CLK_TCK")

    def memory(self, what: str) -> float:
        """Return the process's `VmRSS` or `VmHWM` in MB."""
        found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1_000 if found else float("nan")

    def figures(self, page: str) -> dict[str, float]:
        first, *rest = self.times[page]
        p95, cpu = quantiles(rest, n=20)[-1], self.cpu[page] / (len(rest) + 1)
        return {"first_ms": first, "median_ms": median(rest), "p95_ms": p95, "cpu_ms": cpu, "n": len(rest)}

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def finding_s(server: Server) -> float:
    """Return how long the finding takes on a server that has just started, in seconds."""
    began = time.monotonic()
    while True:
        with urllib.request.urlopen(f"{server.root}/runs/{NAME}", timeout=600) as reply:
            if b'class="note coming"' not in reply.read():
                return time.monotonic() - began
        time.sleep(0.5)


def main() -> None:
    """Build, serve, ask, write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--store", default="sqlite:////tmp/tracejury-viewer-judge_panel.db")
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--before", type=Path, help="A checkout to compare with.")
    parser.add_argument("--before-store", help="Its ledger, of the same traces.")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/viewer.json"))
    given = parser.parse_args()
    ledger = Ledger(given.store)
    run = build(ledger, given.traces)
    long_page = long_trace(ledger)
    progress = Browsing(ledger).progress(run)
    loads = [os.getloadavg()[0]]
    servers = {"now": Server(Path(__file__).resolve().parents[1], given.store, 7899)}
    if given.before:
        servers["before"] = Server(given.before, given.before_store, 7898)
    try:
        findings = {name: finding_s(server) for name, server in servers.items()}
        print({name: round(seconds, 1) for name, seconds in findings.items()}, flush=True)
        drawn = requests(ledger, run, given.requests)
        drawn |= {
            f"trace of steps of {LONG // 1000} kB": iter([long_page] * 12),
            f"deliberation of a step of {LONG // 1000} kB": iter([f"{long_page}/steps/2"] * 12),
        }
        for page, addresses in drawn.items():
            for n, address in enumerate(addresses):
                for server in list(servers.values())[:: 1 if n % 2 else -1]:
                    server.ask(page, address)
            loads.append(os.getloadavg()[0])
            for name, server in servers.items():
                figures = "  ".join(f"{what} {value:6.0f}" for what, value in server.figures(page).items())
                print(f"{page:34} {name:6} {figures}", flush=True)
        memories = {
            name: {"idle": server.idle, "after": server.memory("VmRSS"), "peak": server.memory("VmHWM")}
            for name, server in servers.items()
        }
    finally:
        for server in servers.values():
            server.stop()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    size = Path(given.store.removeprefix("sqlite:///")).stat().st_size if given.store.startswith("sqlite") else None
    pages: dict[str, dict[str, Any]] = {}
    for page in drawn:
        pages[page] = _rounded(servers["now"].figures(page))
        if given.before:
            before = servers["before"].figures(page)
            pages[page]["before"] = _rounded(before)
            pages[page]["median_ratio"] = round(pages[page]["median_ms"] / before["median_ms"], 2)
    result = {
        "what": "milliseconds a page over HTTP, one request after another; `first` is the first of its kind, `cpu_ms`"
        " the server's processor time a page; `before` the other checkout, asked in turn",
        "command": f"python benchmarks/viewer.py --traces {given.traces} --requests {given.requests}",
        "commit": commit.stdout.strip(),
        "database": given.store.split(":")[0],
        "traces": progress.traces,
        "steps": sum(progress.outcomes.values()) + progress.no_claim,
        "ledger_bytes": size,
        "cores": os.cpu_count(),
        "load": {"lowest": min(loads), "highest": max(loads)},
        "finding_s": {name: round(seconds, 1) for name, seconds in findings.items()},
        "server_mb": memories,
        "pages": pages,
        "worst_p95_ms": max(figures["p95_ms"] for figures in pages.values()),
        "worst_cpu_ms": max(figures["cpu_ms"] for figures in pages.values()),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({k: v for k, v in result.items() if k != "pages"}, indent=1))


def _rounded(figures: dict[str, float]) -> dict[str, Any]:
    return {name: round(value, 1) for name, value in figures.items()}


if __name__ == "__main__":
    main()
