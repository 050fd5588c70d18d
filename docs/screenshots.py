"""Take pictures of every page of the viewer, at desktop and phone width: `python docs/screenshots.py RUN --out DIR`.

The three of them that the README shows are `docs/images/`: `python docs/screenshots.py RUN --best`.
"""

from __future__ import annotations

import argparse
import shutil
import threading
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, sync_playwright

from tracejury.agents import Outcome
from tracejury.console.viewer import create_app
from tracejury.console.viewer.rendering import place, served
from tracejury.ledger import DEFAULT_STORE, Browsing, Ledger, Run, StepBrowsing, TraceFilter
from tracejury.reports import ordered_arms

WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
BEST = {"run": 1, "trace-beside": 2, "deliberation": 3}
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def addresses(ledger: Ledger, run: Run) -> dict[str, str]:
    """Return page name -> path: every page of the run, on the trace that has most to tell."""
    traces, steps = Browsing(ledger), StepBrowsing(ledger)
    # A right answer with wrong steps has most to tell.
    lines = next(
        lines
        for lines in (traces.traces(run, f).lines for f in (TraceFilter(sort="errors", flawed=True), TraceFilter()))
        if lines
    )
    line, root = lines[0], place(run)
    here = f"{root}/traces/{line.trace_id}"
    made = ledger.deliberations(run, line.trace_id)
    told = max(made, key=lambda d: (d.verdict.outcome is Outcome.ERROR, len(d.verdict.citations), -d.step.index))
    other = next((s.trace_id for s in traces.siblings(run, line.question_id) if s.trace_id != line.trace_id), None)
    found = {
        "runs": "",
        "run": root,
        "traces": f"{root}/traces",
        "trace": here,
        "deliberation": f"{here}/steps/{told.step.index + 1}",
        "steps": f"{root}/steps",
        "timeline": f"{here}/timeline",
        "judges": f"{root}/judges",
        "disagreements": f"{root}/judges/disagreements",
        "sources": f"{root}/sources",
        "review": f"{root}/review/KB",
        "review-start": f"{root}/review",
    }
    made_of = {name: served(path) for name, path in found.items()}
    made_of["traces-filtered"] = served(f"{root}/traces", disagreement=1, sort="errors")
    made_of["trace-beside"] = served(f"{root}/traces/{other}", beside=line.trace_id) if other else served(here)
    sides = ordered_arms(count.arm for count in traces.arms(run))
    if len(sides) > 1:
        made_of["compare"] = served("compare", a=f"{run.name}:{sides[0]}", b=f"{run.name}:{sides[1]}")
    if references := steps.references(run):
        made_of["source"] = served(f"{root}/sources/{references[0].id}")
    return made_of


def take(page: Page, url: str, target: Path, whole: bool) -> None:
    """Open a page and save its picture."""
    page.goto(url)
    # The finding of a large run comes a moment after its page.
    page.locator(".coming").wait_for(state="detached", timeout=120_000)
    page.screenshot(path=str(target), full_page=whole)


def main() -> None:
    """Serve the run on a free port, take the pictures, stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", default="last")
    parser.add_argument("--store", default=DEFAULT_STORE)
    parser.add_argument("--out", type=Path, default=Path("runs/screenshots"))
    parser.add_argument("--best", action="store_true", help="only the README's three, into docs/images/")
    parser.add_argument("--dark", action="store_true")
    given = parser.parse_args()
    ledger = Ledger(given.store)
    run = ledger.run(given.run)
    out = Path(__file__).parent / "images" if given.best else given.out
    out.mkdir(parents=True, exist_ok=True)
    server = uvicorn.Server(uvicorn.Config(create_app(ledger), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.05)
        root = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            for device, (wide, high) in WIDTHS.items():
                context = browser.new_context(
                    viewport={"width": wide, "height": high}, color_scheme="dark" if given.dark else "light"
                )
                page = context.new_page()
                for name, path in addresses(ledger, run).items():
                    if given.best and (name not in BEST or device == "phone"):
                        continue
                    target = out / (f"{name}.png" if given.best else f"{name}-{device}.png")
                    take(page, root + path, target, whole=not given.best)
                    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")
            browser.close()
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
